"""A transaction whose owner is the handler: it commits when the block ends, and rolls back when the block raises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_OPEN = "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true), clock_timestamp()"


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction.

    `raw` is the asyncpg connection, for the hot statements (COPY, unnest). `sa` is for SQLAlchemy Core; what it does is
    a savepoint in the transaction.
    `now` is the database's clock, read once: everything that the transaction stamps has the same instant.
    """

    sa: AsyncConnection
    raw: Any
    now: datetime


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, *, lock_timeout_s: float = 3.0, statement_timeout_s: float = 10.0
) -> AsyncIterator[Transaction]:
    """Open a transaction that waits for a lock and works on a statement no longer than told.

    Who is cancelled inside it, by a time limit of its own or because the process ends, leaves the session: to ask for
    the rollback would be to wait for a server that perhaps hangs, and it rolls back when it sees the session gone.
    """
    connection = await _connected(engine)
    try:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        # Not SQLAlchemy's own, which begins when SQLAlchemy executes something: 280 us of CPU instead of 420.
        begun = raw.transaction()
        try:
            await begun.start()
            timeouts = (f"{int(limit_s * 1000)}ms" for limit_s in (lock_timeout_s, statement_timeout_s))
            yield Transaction(connection, raw, await raw.fetchval(_OPEN, *timeouts, column=2))
            if connection.in_transaction():
                await connection.commit()
            await begun.commit()
        except Exception:
            await _roll_back(connection, raw, begun)
            raise
        except BaseException:  # a cancellation, or this block is thrown away: the pool would not roll back
            await _leave(connection, raw)
            raise
    finally:
        # Not `async with`: it closes in a task of its own, which a cancellation leaves behind, and a session given back
        # to a pool that was disposed of meanwhile is never closed.
        await connection.close()


async def _connected(engine: AsyncEngine) -> AsyncConnection:
    """Raises ConnectionError where the pool says that it was asked wrongly: each session that it tried was closed."""
    try:
        return await engine.connect()
    except InvalidRequestError as error:
        raise ConnectionError("the server closed each session that was tried") from error


async def _roll_back(connection: AsyncConnection, raw: Any, begun: Any) -> None:
    """Undo what was done; a session that cannot even do that is left, and never comes back to the pool. What went wrong
    first is what counts: only a cancellation is told from here."""
    try:
        if connection.in_transaction():
            await connection.rollback()
        await begun.rollback()
    except asyncio.CancelledError:
        await _leave(connection, raw)
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the session is of no use any more
        await _leave(connection, raw)


async def _leave(connection: AsyncConnection, raw: Any) -> None:
    raw.terminate()
    await connection.invalidate()
