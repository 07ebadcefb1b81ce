"""One database for all tests of the service, emptied after each; a mail server for each."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifications.bootstrap import PROCESS
from services.notifications.settings import NotificationsSettings
from shared.db.engine import create_engine
from tests.conftest import DatabaseFactory
from tests.integration.notifications.mail_server import MailServer, mail_server
from tests.integration.notifications.world import World, settings_for
from tests.support.stack import Database

_KEPT = {"migration", "outbox_bucket", "address_key"}


@pytest.fixture
async def box() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture(scope="session")
async def migrated(database: DatabaseFactory) -> Database:
    made = await database("notifications")
    await PROCESS.migrate(settings_for(made))
    return made


@pytest.fixture(scope="session")
async def engine(migrated: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(migrated.app, name="test", pool_size=8)
    yield engine
    await engine.dispose()


@pytest.fixture
async def settings(migrated: Database, box: MailServer) -> NotificationsSettings:
    return settings_for(migrated, smtp_port=box.port)


@pytest.fixture
async def bare(migrated: Database, engine: AsyncEngine, settings: NotificationsSettings) -> AsyncIterator[World]:
    """Without a programme."""
    yield World(engine, migrated.admin, settings)
    await empty(migrated.admin)


@pytest.fixture
async def world(bare: World) -> World:
    """With the programme of a German shop."""
    await bare.programme()
    return bare


async def empty(admin_url: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'notifications'")
        for table in {row["tablename"] for row in rows} - _KEPT:
            await connection.execute(f"DELETE FROM notifications.{table}")
    finally:
        await connection.close()
