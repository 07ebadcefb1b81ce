"""`python -m services.gateway api|worker|migrate`; without a word, api and worker together."""

import asyncio
import sys
from typing import Final

from services.gateway.bootstrap import SERVICE, run_api, run_migrations, run_worker
from services.gateway.settings import GatewaySettings
from shared.observability.logging import configure_logging, get_logger
from shared.observability.tracing import configure_tracing, stop_tracing
from shared.process import run_process, run_together

_log = get_logger(__name__)
ROLES: Final = ("api", "worker", "migrate")


def main(arguments: list[str]) -> None:
    """Run the process that the arguments name."""
    role = arguments[0] if arguments else "all"
    if len(arguments) > 1 or (arguments and role not in ROLES):
        sys.exit(f"usage: python -m services.{SERVICE} [{'|'.join(ROLES)}]")
    settings = GatewaySettings()
    configure_logging(SERVICE, role, settings.log_level)
    configure_tracing(SERVICE, role, settings.otlp_endpoint)
    run_process(lambda stop: _run(role, settings, stop))


async def _run(role: str, settings: GatewaySettings, stop: asyncio.Event) -> None:
    try:
        match role:
            case "migrate":
                _log.info("migrated", revisions=await run_migrations(settings))
            case "api":
                await run_api(settings, stop)
            case "worker":
                await run_worker(settings, stop)
            case _:
                await run_together(stop, run_api(settings, stop), run_worker(settings, stop))
    finally:
        stop_tracing()


if __name__ == "__main__":
    main(sys.argv[1:])
