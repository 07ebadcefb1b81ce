"""The real servers, started once per run when the first test asks for them, and stopped at its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import settings

from tests.support.platform import Platform
from tests.support.stack import Database, Parts, fresh_database

# No test is timed: how long an example takes says only what else the machine is doing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

DatabaseFactory = Callable[[str], Awaitable[Database]]


@pytest.fixture(scope="session")
async def parts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parts]:
    """PostgreSQL, Kafka (with our topics) and a mail sink."""
    parts = Parts(tmp_path_factory.mktemp("parts"))
    try:
        await asyncio.to_thread(parts.start)
        yield parts
    finally:
        await asyncio.to_thread(parts.stop)


@pytest.fixture(scope="session")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """All services, on servers of their own: what a test does to it cannot hurt the tests of single services."""
    platform = Platform(tmp_path_factory.mktemp("platform"))
    try:
        await asyncio.to_thread(platform.start)
        yield platform
    finally:
        await asyncio.to_thread(platform.stop)


@pytest.fixture(scope="session")
async def database(parts: Parts) -> AsyncIterator[DatabaseFactory]:
    """`await database("points")` gives that service a fresh database; all are dropped at the end of the run."""
    made: list[Database] = []

    async def fresh(service: str) -> Database:
        made.append(await fresh_database(parts, service))
        return made[-1]

    yield fresh
    for one in made:
        await one.drop()
