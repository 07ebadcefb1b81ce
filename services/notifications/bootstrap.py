"""Puts the service together: the only file that knows every room."""

import asyncio
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifications.adapters.customers import CustomerTables
from services.notifications.adapters.queue import MessageQueue
from services.notifications.adapters.rendering import JinjaRenderer
from services.notifications.adapters.smtp import SmtpMailer, SmtpSettings
from services.notifications.application.claiming import Claiming
from services.notifications.application.pace import Pace
from services.notifications.application.sending import Sender, SendingSettings
from services.notifications.application.stores import Stores
from services.notifications.application.sweeping import Sweeper
from services.notifications.entrypoints.consumer import NotificationsApplication
from services.notifications.entrypoints.http import customers_router
from services.notifications.entrypoints.internal import internal_router
from services.notifications.settings import NotificationsSettings
from shared import worker
from shared.auth.tokens import TokenVerifier
from shared.clock import SystemClock
from shared.erasures import ErasureTable
from shared.http.app import Application, create_app
from shared.http.event_status import event_status_router
from shared.http.server import serve
from shared.roles import Service
from shared.worker import database_check, open_engine

SERVICE: Final = "notifications"
VERSION: Final = "1"
MIGRATIONS: Final = Path(__file__).parent / "migrations"


def build_stores() -> Stores:
    """The tables behind their ports."""
    return Stores(CustomerTables(), MessageQueue(), ErasureTable())


def build_api(settings: NotificationsSettings, engine: AsyncEngine) -> Application:
    """The HTTP side."""
    stores = build_stores()
    return create_app(
        service=SERVICE,
        version=VERSION,
        title="Treue notifications",
        description="What customers were told, on which channel, and what was not sent for which reason.",
        verifier=TokenVerifier(settings.internal_public_key, SystemClock()),
        checks=(database_check(engine),),
        routers=(
            customers_router(engine, stores.customers, JinjaRenderer()),
            internal_router(engine, stores.customers),
            event_status_router(engine),
        ),
    )


async def run_api(settings: NotificationsSettings, stop: asyncio.Event) -> None:
    """Answer questions until told to stop."""
    async with open_engine(settings, f"{SERVICE}-http", settings.pool_size) as engine:
        await serve(build_api(settings, engine), settings.host, settings.port, settings.shutdown_timeout_s, stop)


def build_application() -> NotificationsApplication:
    """What the consumer works with."""
    return NotificationsApplication(build_stores())


async def run_worker(settings: NotificationsSettings, stop: asyncio.Event) -> None:
    """Write messages and send what is due until told to stop."""
    async with open_engine(settings, f"{SERVICE}-sending", settings.senders + 1, by_keys=True) as sending:
        besides = [sender.run(stop) for sender in build_senders(settings, sending)]
        besides.append(build_sweeper(settings, sending).run(stop))
        await worker.run_worker(SERVICE, settings, build_application(), stop, besides=besides)


def build_senders(settings: NotificationsSettings, engine: AsyncEngine) -> list[Sender]:
    """The senders of one process, each with a connection of its own, under one limit of mails a second."""
    sending = SendingSettings(
        batch=settings.mail_batch,
        lease_s=settings.lease_s,
        poll_s=settings.mail_poll_s,
        retry_delays_s=settings.retry_delays_s,
    )
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    smtp = SmtpSettings(
        settings.smtp_host, settings.smtp_port, settings.sender_address, settings.smtp_security,
        settings.smtp_username, password, settings.smtp_timeout_s,
    )  # fmt: skip
    pace = Pace(settings.mails_per_second)
    return [
        Sender(engine, build_stores(), _claiming(settings), SmtpMailer(smtp), pace, sending)
        for _ in range(settings.senders)
    ]


def build_sweeper(settings: NotificationsSettings, engine: AsyncEngine) -> Sweeper:
    """Who ends the waits."""
    return Sweeper(engine, _claiming(settings), poll_s=settings.sweep_poll_s)


def _claiming(settings: NotificationsSettings) -> Claiming:
    domain = settings.sender_address.rpartition("@")[2]
    return Claiming(build_stores(), JinjaRenderer(), lease_s=settings.lease_s, mail_domain=domain)


PROCESS: Final = Service(SERVICE, NotificationsSettings, MIGRATIONS, run_api, run_worker, build_application)
