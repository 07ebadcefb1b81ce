"""One database for all tests of the service; each test has a tenant of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

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


_KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def internal_private_key() -> str:
    """With which the gateway would sign."""
    return _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def internal_public_key() -> str:
    """By which the service verifies."""
    return _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
