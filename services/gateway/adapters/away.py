"""A database that is away is not a failure of ours: whoever asks hears "later", not "broken"."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import Transaction, transaction
from shared.errors import TreueError, UnavailableError
from shared.messaging.failures import Verdict, verdict

T = TypeVar("T")


@contextmanager
def away_as_unavailable() -> Iterator[None]:
    """Raises UnavailableError for whatever says that the database cannot be asked now."""
    try:
        yield
    except TreueError:
        raise
    except Exception as error:
        if verdict(error) is Verdict.REFUSE:
            raise
        raise UnavailableError("The database does not answer.", code="database_unavailable") from error


@asynccontextmanager
async def within(engine: AsyncEngine, timeout_s: float) -> AsyncIterator[Transaction]:
    """A transaction that is over, one way or the other, after `timeout_s`. Raises UnavailableError when it was not."""
    with away_as_unavailable():
        async with asyncio.timeout(timeout_s), transaction(engine, statement_timeout_s=timeout_s) as tx:
            yield tx


async def once_more(ask: Callable[[], Awaitable[T]], within_s: float) -> T:
    """Ask, and once more if the connection was broken: the pool may have held one to a server that is gone. Raises
    UnavailableError."""
    with away_as_unavailable():
        async with asyncio.timeout(within_s):
            try:
                return await ask()
            except UnavailableError:
                return await ask()
