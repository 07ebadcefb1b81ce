"""Puts the gateway together: the only file that knows every room."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.adapters.bodies import Bodies
from services.gateway.adapters.keys import Keys
from services.gateway.adapters.tenants import Tenants
from services.gateway.auth.credentials import Credentials, Rates, Secrets
from services.gateway.auth.receipts import Receipts
from services.gateway.auth.throttle import Throttle
from services.gateway.entrypoints.customer_tokens import customer_tokens_router
from services.gateway.entrypoints.described import described_router
from services.gateway.entrypoints.events import EventRoutes
from services.gateway.entrypoints.export import ExportRoutes
from services.gateway.entrypoints.finishing import finisher
from services.gateway.entrypoints.forward import ForwardRoutes, owner_finder
from services.gateway.entrypoints.ingest import Guards, IngestRoutes
from services.gateway.entrypoints.keys import keys_router
from services.gateway.entrypoints.programmes import Programmes
from services.gateway.entrypoints.tenants import tenants_router
from services.gateway.forwarding.arrivals import Arrivals
from services.gateway.forwarding.documents import Documents
from services.gateway.forwarding.events import EventFinder
from services.gateway.forwarding.export import Exporter
from services.gateway.forwarding.lives import Lives
from services.gateway.forwarding.upstream import Service as Owner
from services.gateway.forwarding.upstream import Upstreams
from services.gateway.ingest.intake import Intake, IntakeLimits
from services.gateway.ingest.quotes import Quotes
from services.gateway.ingest.recent import RecentEvents
from services.gateway.settings import GatewaySettings
from services.gateway.tenants.creation import TenantCreation
from services.gateway.tenants.directory import TenantDirectory
from services.gateway.tenants.quotas import Quotas
from services.gateway.tenants.sharing import Sharing
from shared import worker
from shared.auth.tokens import AUDIENCE, CUSTOMER_AUDIENCE, TokenSigner, TokenVerifier
from shared.clock import Clock, SystemClock
from shared.http.app import Application, create_app
from shared.http.client import client_address
from shared.http.cors import Cors
from shared.http.server import serve
from shared.http.waiting import WaitLimits, Waits
from shared.messaging.producer import Producer
from shared.process import collect_garbage_less_often
from shared.roles import Service
from shared.worker import database_check, open_engine, open_producer, producer_check

SERVICE: Final = "gateway"
VERSION: Final = "1"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_CONTRACT: Final = "/v1/"
_WAITS: Final = WaitLimits()
_DESCRIPTION: Final = (
    "Treue, an event-driven loyalty platform: post what happens, ask for what became of it. "
    "A 503 or a timeout means that the outcome is unknown; the same request again, with the same event id, is safe."
)


def build_sharing(settings: GatewaySettings, upstreams: Upstreams) -> Sharing:
    """What each tenant may bring, and who narrows it when points are behind."""
    quotas = Quotas(settings.tenant_rate_per_s, settings.tenant_rate_burst)
    arrivals = Arrivals(upstreams, TokenSigner(settings.signing_key, SystemClock()))
    return Sharing(quotas, arrivals, settings.tenant_share_least)


def build_api(
    settings: GatewaySettings, engine: AsyncEngine, producer: Producer, upstreams: Upstreams, sharing: Sharing
) -> Application:
    """The door."""
    clock = SystemClock()
    signer = TokenSigner(settings.signing_key, clock)
    keys, tenants = Keys(engine), Tenants(engine)
    directory = TenantDirectory(tenants.find)
    pepper = settings.key_pepper.get_secret_value()
    credentials = _credentials(settings, keys, signer, clock)
    intake = Intake(producer, IntakeLimits(settings.send_deadline_s, settings.in_flight_tenant_max))
    receipts, waits = Receipts(pepper), Waits(_WAITS)
    guards = Guards(RecentEvents(settings.recent_events_max), sharing.quotas, Lives(upstreams), sharing)
    finder = EventFinder(upstreams, Bodies(settings.kafka_bootstrap), settings.forward_timeout_s)
    quotes = Quotes(directory, clock, settings.future_max_s)
    forward = ForwardRoutes(credentials, directory, quotes, upstreams, waits, settings.forward_timeout_s)
    ingest = IngestRoutes(
        credentials, directory, intake, guards, receipts, clock, settings.future_max_s, smtputf8=settings.mail_smtputf8
    )
    hot = {
        **ingest.routes(),
        **EventRoutes(credentials, finder, receipts, signer, waits).routes(),
        **ExportRoutes(credentials, Exporter(upstreams), clock).routes(),
        **forward.routes(),
    }
    creation = TenantCreation(tenants, upstreams, signer, pepper, clock, settings.tenant_ready_timeout_s)
    return create_app(
        service=SERVICE,
        version=VERSION,
        title="Treue",
        description=_DESCRIPTION,
        authenticate=credentials.principal,
        # It takes events of whom it knows without its database, and must not be taken out of the way of them.
        checks=(database_check(engine, only_to_begin=True), producer_check(producer)),
        routers=(
            tenants_router(tenants, creation, directory),
            keys_router(keys, tenants, credentials, pepper, clock),
            customer_tokens_router(signer, clock),
        ),
        hot=hot,
        closed_below=_CONTRACT,
        cors=Cors(settings.cors_origins, _CONTRACT) if settings.cors_origins else None,
        described=(described_router(),),
        openapi=Documents(upstreams, owner_finder(), finisher(clock)).merge,
    )


def _credentials(settings: GatewaySettings, keys: Keys, signer: TokenSigner, clock: Clock) -> Credentials:
    return Credentials(
        keys.find,
        Secrets(settings.key_pepper.get_secret_value(), settings.admin_key.get_secret_value()),
        signer,
        # A token that the release before made for a customer has the services' audience, for a day at the most.
        TokenVerifier(settings.internal_public_key, clock, audience=(CUSTOMER_AUDIENCE, AUDIENCE)),
        clock,
        Rates((settings.rate_per_s, settings.rate_burst), (settings.customer_rate_per_s, settings.customer_rate_burst)),
        Throttle(
            settings.wrong_credentials_per_s,
            settings.wrong_credentials_burst,
            lambda: client_address(settings.trusted_proxies),
        ),
    )


async def run_api(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Take events and answer questions until told to stop."""
    owners: dict[Owner, str] = {
        "points": settings.points_url,
        "notifications": settings.notifications_url,
        "metrics": settings.metrics_url,
    }
    async with (
        open_engine(settings, f"{SERVICE}-http", settings.pool_size) as engine,
        open_producer(settings, f"treue-{SERVICE}", settings.in_flight_max) as producer,
        aclosing(Upstreams(owners, settings.forward_connections_max, _WAITS.in_all)) as upstreams,
    ):
        sharing = build_sharing(settings, upstreams)
        app = build_api(settings, engine, producer, upstreams, sharing)
        collect_garbage_less_often()
        following = asyncio.create_task(sharing.run())
        try:
            await serve(app, settings.host, settings.port, settings.shutdown_timeout_s, stop)
        finally:
            following.cancel()


async def run_worker(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Listen to programmes until told to stop."""
    await worker.run_worker(SERVICE, settings, Programmes(), stop, group=settings.consumer_group)


PROCESS: Final = Service(SERVICE, GatewaySettings, MIGRATIONS, run_api, run_worker, Programmes)
