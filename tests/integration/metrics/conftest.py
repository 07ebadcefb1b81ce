"""One database for all tests of the service; each test has a tenant of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.metrics import Metrics, Shop
from tests.support.stack import Database


@pytest.fixture(scope="session")
async def metrics(database: Callable[[str], Awaitable[Database]]) -> AsyncIterator[Metrics]:
    metrics = await Metrics.on(await database("metrics"))
    yield metrics
    await metrics.engine.dispose()


@pytest.fixture
async def shop(metrics: Metrics) -> Shop:
    """A tenant whose programme is known."""
    shop = Shop()
    await metrics.apply([shop.programme()])
    return shop
