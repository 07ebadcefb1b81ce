"""Engines. A process has one for its HTTP side and one for its consumer, so that neither starves the other."""

import asyncio
from typing import Any

from asyncpg import Connection
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.db.instants import use_quick_instants
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_CLOSED_WITHIN_S = 1.0
_FAREWELL_S = 0.3
# What the server itself enforces on each of our sessions, whatever the client does or forgets.
_SERVER_SETTINGS = {
    "idle_in_transaction_session_timeout": "15s",
    "client_connection_check_interval": "5s",
    "tcp_user_timeout": "10s",
    "timezone": "UTC",
    "jit": "off",
}


class _Session(Connection):  # type: ignore[misc]  # asyncpg has no types
    """A session that takes leave quickly. The pool gives a session up when its server does not answer: two seconds for
    its goodbye, as SQLAlchemy grants them, are more than whoever asked has."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's signature
        await super().close(timeout=_FAREWELL_S if timeout is None else min(timeout, _FAREWELL_S))


# Statements that ask for rows by their keys are planned once a session, perhaps when the table was empty and reading
# all of it the cheapest way: after a minute of load that took 2.5 ms where 0.1 will do.
_BY_KEYS = {"enable_seqscan": "off"}


def create_engine(
    url: str,
    *,
    name: str,
    pool_size: int,
    command_timeout_s: float = 15.0,
    schema: str | None = None,
    by_keys: bool = False,
) -> AsyncEngine:
    """An engine over asyncpg.

    `name` is shown in pg_stat_activity. `schema` is where tables are looked for, where that is not left to the role's
    own settings. `by_keys`: what is asked through it goes by keys, never over all of a table that has an index for it.
    `command_timeout_s` bounds every single statement from the client's side; a request for a connection
    that none is free for fails after five seconds.
    """
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_recycle=1800,
        connect_args={
            "timeout": 5,
            "connection_class": _Session,
            "command_timeout": command_timeout_s,
            "server_settings": {
                **_SERVER_SETTINGS,
                "application_name": name,
                **({"search_path": schema} if schema else {}),
                **(_BY_KEYS if by_keys else {}),
            },
        },
    )

    _watch_sessions(engine)
    return engine


def _watch_sessions(engine: AsyncEngine) -> None:
    """A session is prepared when it is new, and looked at when it is taken from the pool."""

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        try:
            connection.run_async(use_quick_instants)
        except BaseException:  # the pool forgets a session that fails here, without closing it
            connection.driver_connection.terminate()
            raise

    # Instead of the pool's own ping, which is three round trips, and waits for a server that hangs however soon whoever
    # asked is cancelled. A server that is gone has closed its end, and asyncpg knows that without asking.
    @event.listens_for(engine.sync_engine, "checkout")
    def still_there(connection: Any, *_: object) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server has closed this session")


async def close_engine(engine: AsyncEngine) -> None:
    """Take leave of the database in order, within a second: a server that hangs would keep a process that was asked to
    end for fifteen seconds a connection. What is left of the connections ends with the process."""
    try:
        async with asyncio.timeout(_CLOSED_WITHIN_S):
            await engine.dispose()
    except TimeoutError:
        _log.warning("database_left_without_an_answer")
