"""Points and metrics, each on a database of its own, and tenants whose tills bring bodies as the gateway reads them."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import DatabaseFactory
from tests.support.cases import OpenTill, Till
from tests.support.metrics import Metrics
from tests.support.points import Books, opened


@pytest.fixture(scope="session")
async def books(database: DatabaseFactory) -> AsyncIterator[Books]:
    async with opened(await database("points")) as books:
        yield books


@pytest.fixture(scope="session")
async def metrics(database: DatabaseFactory) -> AsyncIterator[Metrics]:
    metrics = await Metrics.on(await database("metrics"))
    yield metrics
    await metrics.engine.dispose()


@pytest.fixture
async def till(books: Books, metrics: Metrics) -> AsyncIterator[OpenTill]:
    """Opens a tenant's till; in the end no auditor finds anything of these tenants."""
    tills: list[Till] = []

    async def open_till(currency: str = "EUR", **terms: object) -> Till:
        tills.append(await Till.opened(books, metrics, currency, terms))
        return tills[-1]

    yield open_till
    for each in tills:
        await each.assert_no_drift()
