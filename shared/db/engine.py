"""Engines. A process has one for its HTTP side and one for its consumer, so that neither starves the other."""

import asyncio
from typing import Any
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.db.instants import use_quick_instants
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_CLOSED_WITHIN_S = 1.0
_sessions: WeakSet[Any] = WeakSet()  # every session of this process, as asyncpg has it
# What the server itself enforces on each of our sessions, whatever the client does or forgets.
_SERVER_SETTINGS = {
    "idle_in_transaction_session_timeout": "15s",
    "client_connection_check_interval": "5s",
    "tcp_user_timeout": "10s",
    "timezone": "UTC",
    "jit": "off",
}


def create_engine(
    url: str, *, name: str, pool_size: int, command_timeout_s: float = 15.0, schema: str | None = None
) -> AsyncEngine:
    """An engine over asyncpg.

    `name` is shown in pg_stat_activity. `schema` is where tables are looked for, where that is not left to the role's
    own settings. `command_timeout_s` bounds every single statement from the client's side; a request for a connection
    that none is free for fails after five seconds.
    """
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "timeout": 5,
            "command_timeout": command_timeout_s,
            "server_settings": {
                **_SERVER_SETTINGS,
                "application_name": name,
                **({"search_path": schema} if schema else {}),
            },
        },
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.run_async(use_quick_instants)
        _sessions.add(connection.driver_connection)

    return engine


async def close_engine(engine: AsyncEngine) -> None:
    """Take leave of the database in order, within a second: a server that hangs would keep a process that was asked to
    end for fifteen seconds a connection. What is left of the connections ends with the process."""
    try:
        async with asyncio.timeout(_CLOSED_WITHIN_S):
            await engine.dispose()
    except TimeoutError:
        _log.warning("database_left_without_an_answer")


def break_off() -> None:
    """Leave every session of this process at once: what waits for the server's answer fails, and what was not committed
    is rolled back when the server sees it. For a process that ends: a task that is only cancelled first asks a server
    that hangs for its rollback, fifteen seconds long."""
    for session in list(_sessions):
        session.terminate()
