"""Puts the service together: the only file that knows every room."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.points.adapters.arrivals import Arrivals
from services.points.adapters.balances import BalanceReader
from services.points.adapters.decisions import decision_of
from services.points.adapters.orders import OrderTables
from services.points.adapters.programmes import ProgrammeTable
from services.points.adapters.waiting_returns import WaitingReturnTable
from services.points.adapters.wallets import WalletTables
from services.points.application.activation import ActivateDue
from services.points.application.posting import PostEvents
from services.points.entrypoints.balance import PATH as BALANCE
from services.points.entrypoints.balance import BalanceRoute, described_balance
from services.points.entrypoints.consumer import PointsApplication
from services.points.entrypoints.programme import internal_router, programme_router
from services.points.entrypoints.schedule import Schedule
from services.points.entrypoints.transactions import transactions_router
from services.points.settings import PointsSettings
from shared import worker
from shared.auth.tokens import TokenVerifier
from shared.clock import SystemClock
from shared.db.transaction import transaction
from shared.erasures import ErasureTable
from shared.http.app import Application, create_app
from shared.http.event_status import event_status_router
from shared.http.server import serve
from shared.http.waiting import WaitLimits, Waits
from shared.roles import Service
from shared.worker import database_check, open_engine

SERVICE: Final = "points"
VERSION: Final = "1"
MIGRATIONS: Final = Path(__file__).parent / "migrations"


def build_application() -> PointsApplication:
    """What the consumer works with."""
    return PointsApplication(
        PostEvents(ProgrammeTable(), OrderTables(), WaitingReturnTable(), WalletTables(), ErasureTable())
    )


def build_api(settings: PointsSettings, engine: AsyncEngine) -> Application:
    """The HTTP side."""
    verifier = TokenVerifier(settings.internal_public_key, SystemClock())
    balance = BalanceRoute(verifier, BalanceReader(engine), Arrivals(engine), Waits(WaitLimits()))
    return create_app(
        service=SERVICE,
        version=VERSION,
        title="Treue points",
        description="The programme, and a ledger in which every point can be explained.",
        verifier=verifier,
        checks=(database_check(engine),),
        routers=(
            transactions_router(engine),
            programme_router(engine),
            internal_router(engine),
            event_status_router(engine, decision_of),
        ),
        hot={("GET", BALANCE): balance},
        described=(described_balance(),),
    )


async def run_api(settings: PointsSettings, stop: asyncio.Event) -> None:
    """Answer questions until told to stop."""
    async with open_engine(settings, f"{SERVICE}-http", settings.pool_size, by_keys=True) as engine:
        await serve(build_api(settings, engine), settings.host, settings.port, settings.shutdown_timeout_s, stop)


async def run_worker(settings: PointsSettings, stop: asyncio.Event) -> None:
    """Post events, and activate what is due, until told to stop."""
    async with open_engine(settings, f"{SERVICE}-schedule", 2, by_keys=True) as engine:
        schedule = Schedule(engine, ActivateDue(WalletTables()), settings.activation_interval_s)
        await worker.run_worker(SERVICE, settings, build_application(), stop, besides=[schedule.run(stop)])


async def run_clock(engine: AsyncEngine, until: datetime) -> None:
    """Write down all that has fallen due by an instant."""
    activate = ActivateDue(WalletTables())
    more = 1
    while more:
        async with transaction(engine) as tx:
            more, _ = await activate(tx, until)


PROCESS: Final = Service(SERVICE, PointsSettings, MIGRATIONS, run_api, run_worker, build_application, run_clock)
