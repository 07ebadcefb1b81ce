"""What every service's process can be: `api`, `worker`, `migrate`, or, without a word, api and worker together."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shared.messaging.incoming import Application
from shared.observability.logging import configure_logging, get_logger
from shared.observability.tracing import configure_tracing, stop_tracing
from shared.process import run_process, run_together
from shared.settings import ServiceSettings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_log = get_logger(__name__)
Settings = TypeVar("Settings", bound=ServiceSettings)
ROLES = ("api", "worker", "migrate")


@dataclass(frozen=True)
class Service(Generic[Settings]):
    """A service, as its bootstrap hands it to its __main__. `run_clock` does in a schema what its worker has to have
    done by an instant without any event; None where nothing is done by the clock."""

    name: str
    settings: Callable[[], Settings]
    migrations: Path
    run_api: Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]
    run_worker: Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]
    application: Callable[[], Application]
    run_clock: "Callable[[AsyncEngine, datetime], Coroutine[Any, Any, None]] | None" = None

    def main(self, arguments: list[str]) -> None:
        """Run the process that the arguments name."""
        role = arguments[0] if arguments else "all"
        if len(arguments) > 1 or (arguments and role not in ROLES):
            sys.exit(f"usage: python -m services.{self.name} [{'|'.join(ROLES)}]")
        settings = self.settings()
        configure_logging(self.name, role, settings.log_level)
        configure_tracing(self.name, role, settings.otlp_endpoint)
        run_process(lambda stop: self._run(role, settings, stop))

    async def migrate(self, settings: Settings) -> list[str]:
        """Bring the schema up to date by the role that owns it; returns the revisions that were new."""
        from shared.db.migrate import migrate  # Alembic takes half a second to import, which only this role needs

        url = settings.migration_url or settings.database_url
        return await migrate(url.get_secret_value(), self.name, self.migrations)

    async def _run(self, role: str, settings: Settings, stop: asyncio.Event) -> None:
        try:
            match role:
                case "migrate":
                    _log.info("migrated", revisions=await self.migrate(settings))
                case "api":
                    await self.run_api(settings, stop)
                case "worker":
                    await self.run_worker(settings, stop)
                case _:
                    both = self.run_api(settings, stop), self.run_worker(settings, stop)
                    await run_together(stop, *both, ended_within_s=settings.shutdown_timeout_s)
        finally:
            stop_tracing()
