"""What a failure means for a batch: the one place where the taxonomy becomes "again" or "never"."""

import asyncio
from enum import Enum

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.errors import TreueError


class Verdict(Enum):
    """What to do with a batch that failed."""

    RETRY = "retry"  # nothing is wrong with the batch: the same again, for as long as it takes
    REPEAT = "repeat"  # another transaction came in between: the same again, at once
    REFUSE = "refuse"  # something in the batch can never be applied: find it


_TRANSIENT = (
    OSError,
    TimeoutError,
    asyncio.TimeoutError,
    PoolTimeoutError,
    InterfaceError,
    OperationalError,
    InternalError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidPasswordError,
)
_CONTENDED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError)


def verdict(error: BaseException) -> Verdict:
    """Judge a failure. What we do not know is refused, never retried for ever."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return Verdict.RETRY
        cause = error.orig.__cause__ if error.orig is not None else None
        if cause is not None:
            return verdict(cause)
    if isinstance(error, TreueError):
        return Verdict.RETRY if error.kind.retriable else Verdict.REFUSE
    if isinstance(error, _CONTENDED):
        return Verdict.REPEAT
    return Verdict.RETRY if isinstance(error, _TRANSIENT) else Verdict.REFUSE
