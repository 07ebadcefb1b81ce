"""An engine for as long as a test needs it."""

import contextlib
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import create_engine


@contextlib.asynccontextmanager
async def engine_of(url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(url, name="test", pool_size=2)
    try:
        yield engine
    finally:
        await engine.dispose()
