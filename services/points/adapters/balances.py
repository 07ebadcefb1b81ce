"""Balances, read together: all readers that wait share one query, so that a thousand phones cost what one costs.

There is no timer: a query starts as soon as a connection is free, with whoever waits by then. A balance counts what is
due to be activated at that instant, whether or not the worker has written it down yet.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.points.application.ports import CustomerKey
from shared.messaging.failures import Verdict, verdict

_LINGER_S = 0.2
_READ = """
    SELECT w.* FROM unnest($1::text[], $2::text[]) AS wanted (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT w.tenant, w.customer_id, w.posted, w.pending, w.held, w.debt, w.lifetime_earned, w.version,
            CASE WHEN w.next_activation_at <= clock_timestamp() THEN (
                SELECT coalesce(sum(l.remaining), 0) FROM lot l
                WHERE l.tenant = w.tenant AND l.customer_id = w.customer_id AND NOT l.activated
                    AND l.activate_at <= clock_timestamp()) ELSE 0 END::bigint AS due
        FROM wallet w JOIN customer c USING (tenant, customer_id)
        WHERE w.tenant = wanted.tenant AND w.customer_id = wanted.customer_id AND c.erased_at IS NULL OFFSET 0
    ) AS w
"""


@dataclass(frozen=True, slots=True)
class Balance:
    """A wallet at an instant. `due`: what has become spendable and is not written down as such yet."""

    posted: int
    pending: int
    held: int
    debt: int
    lifetime_earned: int
    version: int
    due: int


_Asked = dict[CustomerKey, list[asyncio.Future[Balance | None]]]


class BalanceReader:
    """Reads balances of all tenants, over a few connections of the engine; each is kept for a moment, for whoever comes
    next, since taking one from the pool costs more than a reading."""

    def __init__(self, engine: AsyncEngine, connections: int = 2) -> None:
        self._engine, self._startable, self._connections = engine, connections, connections
        self._waiting: _Asked = {}
        self._lingering: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def read(self, tenant: str, customer_id: str) -> Balance | None:
        """The balance; None for a customer who is not known, or has been erased. Raises what the database raises."""
        for _ in range(self._connections):
            try:
                return await self._ask((tenant, customer_id))
            except Exception as error:
                if verdict(error) is Verdict.REFUSE:
                    raise
                # Each connection that is kept may be one to a server that has gone and come back; it is given up now.
        return await self._ask((tenant, customer_id))

    def _ask(self, key: CustomerKey) -> asyncio.Future[Balance | None]:
        future: asyncio.Future[Balance | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        self._wake()
        return future

    def _wake(self) -> None:
        """Have somebody work, unless all are at it: they look again when they are done."""
        if self._lingering:
            self._lingering.pop().set_result(None)
        elif self._startable:
            self._startable -= 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        """Answer with one connection until nobody has come for a while."""
        asked: _Asked = {}
        try:
            async with self._engine.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                while await self._somebody_waits():
                    asked, self._waiting = self._waiting, {}
                    await _answer(raw, asked)
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            asked, self._waiting = asked | self._waiting, {}
            for future in (each for futures in asked.values() for each in futures if not each.done()):
                future.set_exception(error)
        finally:
            self._startable += 1
            if self._waiting:  # they came while the connection was given back
                self._wake()

    async def _somebody_waits(self) -> bool:
        if not self._waiting:
            loop = asyncio.get_running_loop()
            woken: asyncio.Future[None] = loop.create_future()
            self._lingering.append(woken)
            timer = loop.call_later(_LINGER_S, self._tire, woken)
            await woken
            timer.cancel()
        return bool(self._waiting)

    def _tire(self, woken: asyncio.Future[None]) -> None:
        """Nobody came. Not a timeout around the waiting: that ends some time after it is over, and somebody may come in
        between."""
        if woken in self._lingering:
            self._lingering.remove(woken)
            woken.set_result(None)


async def _answer(raw: Any, asked: _Asked) -> None:
    tenants, customer_ids = zip(*asked, strict=True)
    found = {(row[0], row[1]): Balance(*row[2:]) for row in await raw.fetch(_READ, tenants, customer_ids)}
    for key, futures in asked.items():
        for future in futures:
            if not future.done():
                future.set_result(found.get(key))
