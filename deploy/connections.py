"""The stack's servers as the operator's commands use them: whichever does not answer is named, with the next step."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from deploy.problems import OperatorError
from shared.messaging.away import KafkaAwayError
from shared.messaging.failures import Verdict, verdict

_NEXT_STEP = "Is it up? `treue status` tells."
_ENDED_WITHIN_S = 5.0


@asynccontextmanager
async def administrator(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session of the stack's administrator. Raises OperatorError when a server is away, at first or half-way."""
    with _servers_answer():
        connection = await asyncpg.connect(database_url, timeout=10)
        try:
            yield connection
        finally:
            await connection.close(timeout=_ENDED_WITHIN_S)


@contextmanager
def _servers_answer() -> Iterator[None]:
    try:
        yield
    except KafkaAwayError as error:
        raise OperatorError(f"{error}.", _NEXT_STEP) from error
    except Exception as error:
        if verdict(error) is not Verdict.RETRY:
            raise
        reason = str(error) or type(error).__name__
        raise OperatorError(f"The database does not answer: {reason}.", _NEXT_STEP) from error
