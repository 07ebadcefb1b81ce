"""A fresh database and a mail server for each test."""

from collections.abc import AsyncIterator

import pytest

from services.notifications.bootstrap import run_migrations
from services.notifications.settings import NotificationsSettings
from shared.db.engine import create_engine
from tests.conftest import DatabaseFactory
from tests.integration.notifications.mail_server import MailServer, mail_server
from tests.integration.notifications.world import World


@pytest.fixture
async def box() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def bare(database: DatabaseFactory, box: MailServer) -> AsyncIterator[World]:
    """Without a programme."""
    made = await database("notifications")
    settings = NotificationsSettings(
        database_url=made.app, migration_url=made.owner, kafka_bootstrap="unused:1", internal_public_key="unused",
        smtp_host="127.0.0.1", smtp_port=box.port, sender_address="points@treue.example",
        mails_per_second=0, retry_delays_s=(0.05, 0.05), lease_s=60, senders=1,
    )  # type: ignore[arg-type] # fmt: skip
    await run_migrations(settings)
    engine = create_engine(made.app, name="test", pool_size=8)
    try:
        yield World(engine, made.admin, settings)
    finally:
        await engine.dispose()


@pytest.fixture
async def world(bare: World) -> World:
    """With the programme of a German shop."""
    await bare.programme()
    return bare
