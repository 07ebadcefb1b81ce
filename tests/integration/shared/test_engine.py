"""What becomes of connections and transactions when whoever works with them ends, and the server hangs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import close_engine, create_engine
from shared.db.transaction import transaction
from shared.messaging.failures import Verdict, verdict
from shared.process import run_together
from tests.support.proxy import Door, door_to
from tests.support.stack import Database


async def test_a_server_that_hangs_keeps_nobody_from_ending(
    database: Callable[[str], Awaitable[Database]],
) -> None:
    async with _behind_a_door((await database("points")).app) as (door, engine):
        await asyncio.gather(*(_sleep(engine) for _ in range(4)))
        door.stick()
        begun = time.monotonic()
        await close_engine(engine)
        assert time.monotonic() - begun < 4


async def test_a_process_in_a_transaction_ends_though_the_server_hangs(
    database: Callable[[str], Awaitable[Database]],
) -> None:
    async with _behind_a_door((await database("points")).app) as (door, engine):
        stop = asyncio.Event()
        process = run_together(stop, *(_work(engine) for _ in range(4)), ended_within_s=0.5)
        running = [asyncio.create_task(process)]
        await asyncio.sleep(1)
        door.stick()
        begun = time.monotonic()
        stop.set()
        _, late = await asyncio.wait(running, timeout=20)
        assert not late
        assert time.monotonic() - begun < 4
        await close_engine(engine)


async def test_who_is_cancelled_does_not_ask_a_server_that_hangs_for_a_rollback(
    database: Callable[[str], Awaitable[Database]],
) -> None:
    async with _behind_a_door((await database("points")).app) as (door, engine):
        await _sleep(engine)
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_stick_in_the_middle(engine, door), timeout=1)
        assert time.monotonic() - begun < 2
        await door.open()
        await _sleep(engine)  # and the pool has another session for whoever comes next
        await close_engine(engine)


async def test_a_session_that_cannot_roll_back_is_left_and_what_failed_first_is_told(
    database: Callable[[str], Awaitable[Database]],
) -> None:
    """It is still at another statement when the transaction fails: given back to the pool, it would fail the next."""
    async with _behind_a_door((await database("points")).app) as (_, engine):
        for _ in range(5):
            with pytest.raises(KeyError):
                await _fail_while_the_session_is_busy(engine)
        await _sleep(engine)
        await close_engine(engine)


class _EndOfTheWorldError(BaseException):
    """What `except Exception` does not see."""


async def _write_and_end(engine: AsyncEngine, failure: type[BaseException]) -> None:
    async with transaction(engine) as tx:
        await tx.raw.execute("INSERT INTO points.noted VALUES (2)")
        await tx.sa.exec_driver_sql("INSERT INTO points.noted VALUES (3)")
        await tx.raw.execute("INSERT INTO points.noted VALUES (4)")
        raise failure


@pytest.mark.parametrize("failure", [KeyError, asyncio.CancelledError, _EndOfTheWorldError])
async def test_however_a_block_ends_nothing_of_it_stays(
    database: Callable[[str], Awaitable[Database]], failure: type[BaseException]
) -> None:
    engine = create_engine((await database("points")).owner, name="test", pool_size=1)
    async with transaction(engine) as tx:
        await tx.raw.execute("CREATE TABLE points.noted (n int)")
        await tx.sa.exec_driver_sql("INSERT INTO points.noted VALUES (1)")
    with pytest.raises(failure):
        await _write_and_end(engine, failure)
    async with transaction(engine) as tx:
        assert [row["n"] for row in await tx.raw.fetch("SELECT n FROM points.noted")] == [1]
    await close_engine(engine)


async def test_a_server_that_closes_every_session_is_away_and_no_event_is_refused_for_it(
    database: Callable[[str], Awaitable[Database]],
) -> None:
    engine = create_engine((await database("points")).app, name="test", pool_size=1)

    @event.listens_for(engine.sync_engine, "checkout")
    def closed(*_: object) -> None:
        raise DisconnectionError

    with pytest.raises(ConnectionError) as caught:
        await _sleep(engine)
    assert verdict(caught.value) is Verdict.RETRY
    await engine.dispose()


async def _fail_while_the_session_is_busy(engine: AsyncEngine) -> None:
    async with transaction(engine) as tx:
        busy = asyncio.ensure_future(tx.raw.execute("SELECT pg_sleep(0.3)"))
        busy.add_done_callback(asyncio.Future.exception)
        await asyncio.sleep(0.05)
        raise KeyError


async def _stick_in_the_middle(engine: AsyncEngine, door: Door) -> None:
    async with transaction(engine):
        door.stick()
        await asyncio.sleep(5)  # nothing of the database's: only the end of the transaction would ask it


async def _work(engine: AsyncEngine) -> None:
    """As the relay and the unparker do: an error is no reason to end."""
    while True:
        with contextlib.suppress(Exception):
            async with transaction(engine) as tx:
                await tx.raw.execute("SELECT pg_sleep(0.1)")


@contextlib.asynccontextmanager
async def _behind_a_door(app_url: str) -> AsyncIterator[tuple[Door, AsyncEngine]]:
    """An engine whose way to the server can be blocked."""
    url = make_url(app_url)
    async with door_to(str(url.host), int(url.port or 5432)) as door:
        through = url.set(host="127.0.0.1", port=door.port).render_as_string(hide_password=False)
        yield door, create_engine(through, name="test", pool_size=4)


async def _sleep(engine: AsyncEngine) -> None:
    """Long enough for each to get a connection of its own."""
    async with transaction(engine) as tx:
        await tx.raw.execute("SELECT pg_sleep(0.2)")
