"""One gateway for all tests; each has a tenant of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.gateway import Gateway, Shop, running_gateway
from tests.support.stack import Database, Parts


@pytest.fixture(scope="session")
async def gateway(parts: Parts, database: Callable[[str], Awaitable[Database]]) -> AsyncIterator[Gateway]:
    # The tests bring more wrong credentials than any honest address.
    own = {"wrong_credentials_burst": 1e6, "cors_origins": ("https://shop.example",)}
    async with running_gateway(parts, await database("gateway"), **own) as gateway:
        yield gateway


@pytest.fixture
async def shop(gateway: Gateway) -> Shop:
    """A fresh tenant, in euros."""
    return await gateway.shop()
