"""Puts the service together: the only file that knows every room."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
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
from shared.auth.tokens import TokenVerifier
from shared.clock import SystemClock
from shared.db.engine import create_engine
from shared.db.migrate import migrate
from shared.db.transaction import transaction
from shared.errors import UnavailableError
from shared.http.app import Application, create_app
from shared.http.event_status import event_status_router
from shared.http.health import ReadinessCheck
from shared.http.server import serve
from shared.messaging.consumer import Consumer, ConsumerSettings
from shared.messaging.producer import Producer
from shared.messaging.relay import Relay
from shared.messaging.unparker import Unparker
from shared.process import collect_garbage_less_often, run_together

SERVICE: Final = "points"
VERSION: Final = "1"
MIGRATIONS: Final = Path(__file__).parent / "migrations"


async def run_migrations(settings: PointsSettings) -> list[str]:
    """Bring the schema up to date by the role that owns it; returns the revisions that were new."""
    url = settings.migration_url or settings.database_url
    return await migrate(url.get_secret_value(), SERVICE, MIGRATIONS)


def build_application() -> PointsApplication:
    """What the consumer works with."""
    return PointsApplication(PostEvents(ProgrammeTable(), OrderTables(), WaitingReturnTable(), WalletTables()))


def build_api(settings: PointsSettings, engine: AsyncEngine) -> Application:
    """The HTTP side."""
    verifier = TokenVerifier(settings.internal_public_key, SystemClock())
    balance = BalanceRoute(verifier, BalanceReader(engine), Arrivals(engine))
    return create_app(
        service=SERVICE,
        version=VERSION,
        title="Treue points",
        description="The programme, and a ledger in which every point can be explained.",
        verifier=verifier,
        checks=(_database_check(engine),),
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
    async with _engine(settings, "http", settings.pool_size) as engine:
        await serve(build_api(settings, engine), settings.host, settings.port, settings.shutdown_timeout_s, stop)


async def run_worker(settings: PointsSettings, stop: asyncio.Event) -> None:
    """Post events until told to stop."""
    async with AsyncExitStack() as stack:
        batches = await stack.enter_async_context(_engine(settings, "batches", settings.batch_pool_size))
        side = await stack.enter_async_context(_engine(settings, "relay", 3))
        producer = Producer(settings.kafka_bootstrap, client_id=f"treue-{SERVICE}")
        await producer.start()
        stack.push_async_callback(producer.stop)
        application = build_application()
        consumer = Consumer(ConsumerSettings(settings.kafka_bootstrap, SERVICE), batches, application)
        schedule = Schedule(side, ActivateDue(WalletTables()), settings.activation_interval_s)
        health = _build_health(side, consumer, producer)
        collect_garbage_less_often()
        await run_together(
            stop,
            consumer.run(stop),
            Unparker(batches, application).run(stop),
            Relay(side, producer, service=SERVICE).run(stop),
            schedule.run(stop),
            serve(health, settings.host, settings.worker_port, settings.shutdown_timeout_s, stop),
        )


def _build_health(engine: AsyncEngine, consumer: Consumer, producer: Producer) -> Application:
    async def consumes() -> None:
        if consumer.problem is not None:
            raise UnavailableError(consumer.problem)

    async def produces() -> None:
        if not producer.ready:
            raise UnavailableError("no connection to Kafka")

    checks = (_database_check(engine), ReadinessCheck("consumer", consumes), ReadinessCheck("producer", produces))
    return create_app(service=f"{SERVICE}-worker", version=VERSION, title="Treue points, worker", checks=checks)


def _database_check(engine: AsyncEngine) -> ReadinessCheck:
    async def answers() -> None:
        async with transaction(engine):
            pass

    return ReadinessCheck("database", answers)


@asynccontextmanager
async def _engine(settings: PointsSettings, purpose: str, pool_size: int) -> AsyncIterator[AsyncEngine]:
    url = settings.database_url.get_secret_value()
    engine = create_engine(url, name=f"treue-{SERVICE}-{purpose}", pool_size=pool_size)
    try:
        yield engine
    finally:
        await engine.dispose()
