"""Balances, read together: all readers that wait share one query, so that a thousand phones cost what one costs.

There is no timer: a query starts as soon as a connection is free, with whoever waits by then. A balance counts what is
due to be activated at that instant, whether or not the worker has written it down yet.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.points.application.ports import CustomerKey

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


class BalanceReader:
    """Reads balances of all tenants, with a few connections of the engine."""

    def __init__(self, engine: AsyncEngine, connections: int = 2) -> None:
        self._engine, self._idle = engine, connections
        self._waiting: dict[CustomerKey, list[asyncio.Future[Balance | None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def read(self, tenant: str, customer_id: str) -> Balance | None:
        """The balance; None for a customer who is not known, or has been erased."""
        future: asyncio.Future[Balance | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((tenant, customer_id), []).append(future)
        if self._idle:
            self._idle -= 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _work(self) -> None:
        """Answer until nobody waits."""
        asked: dict[CustomerKey, list[asyncio.Future[Balance | None]]] = {}
        try:
            async with self._engine.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                while self._waiting:
                    asked, self._waiting = self._waiting, {}
                    await _answer(raw, asked)
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            for futures in (*asked.values(), *self._waiting.values()):
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            self._waiting = {}
        finally:
            self._idle += 1


async def _answer(raw: Any, asked: dict[CustomerKey, list[asyncio.Future[Balance | None]]]) -> None:
    tenants, customer_ids = zip(*asked, strict=True)
    found = {(row[0], row[1]): Balance(*row[2:]) for row in await raw.fetch(_READ, tenants, customer_ids)}
    for key, futures in asked.items():
        for future in futures:
            if not future.done():
                future.set_result(found.get(key))
