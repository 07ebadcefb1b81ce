"""Puts the gateway together: the only file that knows every room."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.adapters.keys import Keys
from services.gateway.adapters.tenants import Tenants
from services.gateway.auth.credentials import Credentials, Secrets
from services.gateway.entrypoints.customer_tokens import customer_tokens_router
from services.gateway.entrypoints.described import described_router, with_examples
from services.gateway.entrypoints.events import EventRoutes
from services.gateway.entrypoints.export import ExportRoutes
from services.gateway.entrypoints.forward import ForwardRoutes, owner_finder
from services.gateway.entrypoints.ingest import IngestRoutes
from services.gateway.entrypoints.keys import keys_router
from services.gateway.entrypoints.nowhere import nowhere_router
from services.gateway.entrypoints.programmes import Programmes
from services.gateway.entrypoints.tenants import tenants_router
from services.gateway.forwarding.documents import Documents
from services.gateway.forwarding.events import EventFinder
from services.gateway.forwarding.export import Exporter
from services.gateway.forwarding.upstream import Upstreams
from services.gateway.ingest.intake import Intake, IntakeLimits
from services.gateway.settings import GatewaySettings
from services.gateway.tenants.creation import TenantCreation
from services.gateway.tenants.directory import TenantDirectory
from shared.auth.tokens import TokenSigner, TokenVerifier
from shared.clock import SystemClock
from shared.db.engine import create_engine
from shared.db.migrate import migrate
from shared.db.transaction import transaction
from shared.errors import UnavailableError
from shared.http.app import Application, create_app
from shared.http.health import ReadinessCheck
from shared.http.server import serve
from shared.messaging.consumer import Consumer, ConsumerSettings
from shared.messaging.producer import Producer
from shared.messaging.relay import Relay
from shared.messaging.unparker import Unparker
from shared.process import run_together

SERVICE: Final = "gateway"
VERSION: Final = "1"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_DESCRIPTION: Final = (
    "Treue, an event-driven loyalty platform: post what happens, ask for what became of it. "
    "A 503 or a timeout means that the outcome is unknown; the same request again is always safe."
)


async def run_migrations(settings: GatewaySettings) -> list[str]:
    """Bring the schema up to date by the role that owns it; returns the revisions that were new."""
    url = settings.migration_url or settings.database_url
    return await migrate(url.get_secret_value(), SERVICE, MIGRATIONS)


def build_api(settings: GatewaySettings, engine: AsyncEngine, producer: Producer, upstreams: Upstreams) -> Application:
    """The door."""
    clock = SystemClock()
    signer = TokenSigner(settings.signing_key, clock)
    keys, tenants = Keys(engine), Tenants(engine)
    directory = TenantDirectory(tenants.find)
    pepper = settings.key_pepper.get_secret_value()
    credentials = Credentials(
        keys.find,
        Secrets(pepper, settings.admin_key.get_secret_value()),
        signer,
        TokenVerifier(settings.internal_public_key, clock),
        clock,
        (settings.rate_per_s, settings.rate_burst),
    )
    intake = Intake(producer, IntakeLimits(settings.send_deadline_s, settings.in_flight_tenant_max))
    hot = {
        **IngestRoutes(credentials, directory, intake, clock, settings.future_max_s).routes(),
        **EventRoutes(credentials, EventFinder(upstreams, settings.forward_timeout_s)).routes(),
        **ExportRoutes(credentials, Exporter(upstreams), clock).routes(),
        **ForwardRoutes(credentials, directory, upstreams, settings.forward_timeout_s).routes(),
    }
    creation = TenantCreation(tenants, upstreams, signer, pepper, clock, settings.tenant_ready_timeout_s)
    return create_app(
        service=SERVICE,
        version=VERSION,
        title="Treue",
        description=_DESCRIPTION,
        authenticate=credentials.principal,
        checks=(_database_check(engine), _producer_check(producer)),
        routers=(
            tenants_router(tenants, creation),
            keys_router(keys, tenants, credentials, pepper, clock),
            customer_tokens_router(signer, clock),
            nowhere_router(hot),
        ),
        hot=hot,
        described=(described_router(),),
        openapi=Documents(upstreams, owner_finder(), with_examples).merge,
    )


async def run_api(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Take events and answer questions until told to stop."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(_engine(settings, "http", settings.pool_size))
        producer = Producer(
            settings.kafka_bootstrap, client_id=f"treue-{SERVICE}", in_flight_max=settings.in_flight_max
        )
        await producer.start()
        stack.push_async_callback(producer.stop)
        upstreams = Upstreams(
            {
                "points": settings.points_url,
                "notifications": settings.notifications_url,
                "metrics": settings.metrics_url,
            },
            settings.forward_connections_max,
        )
        stack.push_async_callback(upstreams.close)
        app = build_api(settings, engine, producer, upstreams)
        await serve(app, settings.host, settings.port, settings.shutdown_timeout_s, stop)


async def run_worker(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Listen to programmes until told to stop."""
    async with AsyncExitStack() as stack:
        batches = await stack.enter_async_context(_engine(settings, "batches", 8))
        relaying = await stack.enter_async_context(_engine(settings, "relay", 2))
        producer = Producer(settings.kafka_bootstrap, client_id=f"treue-{SERVICE}-worker")
        await producer.start()
        stack.push_async_callback(producer.stop)
        application = Programmes()
        consumer = Consumer(ConsumerSettings(settings.kafka_bootstrap, settings.consumer_group), batches, application)
        health = _build_health(relaying, consumer, producer)
        await run_together(
            stop,
            consumer.run(stop),
            Unparker(batches, application).run(stop),
            Relay(relaying, producer, service=SERVICE).run(stop),  # tells the dead-letter topic of what was set aside
            serve(health, settings.host, settings.worker_port, settings.shutdown_timeout_s, stop),
        )


def _build_health(engine: AsyncEngine, consumer: Consumer, producer: Producer) -> Application:
    async def consumes() -> None:
        if consumer.problem is not None:
            raise UnavailableError(consumer.problem)

    checks = (_database_check(engine), ReadinessCheck("consumer", consumes), _producer_check(producer))
    return create_app(service=f"{SERVICE}-worker", version=VERSION, title="Treue gateway, worker", checks=checks)


def _producer_check(producer: Producer) -> ReadinessCheck:
    async def produces() -> None:
        if not producer.ready:
            raise UnavailableError("no connection to Kafka")

    return ReadinessCheck("producer", produces)


def _database_check(engine: AsyncEngine) -> ReadinessCheck:
    async def answers() -> None:
        async with transaction(engine):
            pass

    return ReadinessCheck("database", answers)


@asynccontextmanager
async def _engine(settings: GatewaySettings, purpose: str, pool_size: int) -> AsyncIterator[AsyncEngine]:
    url = settings.database_url.get_secret_value()
    engine = create_engine(url, name=f"treue-{SERVICE}-{purpose}", pool_size=pool_size)
    try:
        yield engine
    finally:
        await engine.dispose()
