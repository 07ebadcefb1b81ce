"""Puts the service together: the only file that knows every room."""

import asyncio
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.adapters.decisions import decision_of
from services.metrics.adapters.store import TableStore
from services.metrics.entrypoints.consumer import MetricsApplication
from services.metrics.entrypoints.export import export_router
from services.metrics.entrypoints.http import metrics_router
from services.metrics.entrypoints.internal import internal_router
from services.metrics.settings import MetricsSettings
from shared import worker
from shared.auth.tokens import TokenVerifier
from shared.clock import SystemClock
from shared.http.app import Application, create_app
from shared.http.event_status import event_status_router
from shared.http.server import serve
from shared.roles import Service
from shared.worker import database_check, open_engine

SERVICE: Final = "metrics"
VERSION: Final = "1"
MIGRATIONS: Final = Path(__file__).parent / "migrations"


def build_api(settings: MetricsSettings, engine: AsyncEngine) -> Application:
    """The HTTP side."""
    return create_app(
        service=SERVICE,
        version=VERSION,
        title="Treue metrics",
        description="Figures of loyalty for any period of local days.",
        verifier=TokenVerifier(settings.internal_public_key, SystemClock()),
        checks=(database_check(engine),),
        routers=(
            metrics_router(engine),
            internal_router(engine),
            export_router(engine),
            event_status_router(engine, decision_of),
        ),
    )


async def run_api(settings: MetricsSettings, stop: asyncio.Event) -> None:
    """Answer questions until told to stop."""
    async with open_engine(settings, f"{SERVICE}-http", settings.pool_size) as engine:
        await serve(build_api(settings, engine), settings.host, settings.port, settings.shutdown_timeout_s, stop)


def build_application() -> MetricsApplication:
    """What the consumer works with."""
    return MetricsApplication(TableStore)


async def run_worker(settings: MetricsSettings, stop: asyncio.Event) -> None:
    """Fold events until told to stop."""
    await worker.run_worker(SERVICE, settings, build_application(), stop)


PROCESS: Final = Service(SERVICE, MetricsSettings, MIGRATIONS, run_api, run_worker, build_application)
