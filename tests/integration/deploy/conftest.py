"""What the tests of the auditor share."""

from collections.abc import Awaitable, Callable
from importlib import import_module

import pytest

from deploy.database import bootstrap
from deploy.environment import SERVICES
from shared.db.migrate import migrate
from tests.integration.shared.conftest import spine
from tests.support.stack import Database, Parts

__all__ = ["books", "spine"]


@pytest.fixture(scope="module")
async def books(parts: Parts, database: Callable[[str], Awaitable[Database]]) -> Database:
    """All schemas in one database, empty."""
    made = await database("points")
    await bootstrap(made.admin, parts.stack.credentials.passwords, SERVICES)
    for service in SERVICES:
        await migrate(made.admin, service, import_module(f"services.{service}.bootstrap").PROCESS.migrations)
    return made
