"""One gateway for all tests; each has a tenant of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.gateway import Gateway, Shop, running_gateway
from tests.support.stack import Database, Parts


@pytest.fixture(scope="session")
async def gateway(parts: Parts, database: Callable[[str], Awaitable[Database]]) -> AsyncIterator[Gateway]:
    async with running_gateway(parts, await database("gateway")) as gateway:
        yield gateway


@pytest.fixture
async def shop(gateway: Gateway) -> Shop:
    """A fresh tenant, in euros."""
    return await gateway.shop()
