"""The points service on a database of its own, for all tests of this folder: each makes its own tenant."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import DatabaseFactory
from tests.support.points import Books, opened
from tests.support.points_api import PointsApi


@pytest.fixture(scope="session")
async def books(database: DatabaseFactory) -> AsyncIterator[Books]:
    async with opened(await database("points")) as books:
        yield books


@pytest.fixture
def api(books: Books) -> PointsApi:
    return PointsApi(books)
