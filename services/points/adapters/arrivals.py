"""Waits until an event has had its effect: one query for all who wait, every few milliseconds while anybody does."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import transaction
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_PAUSE_S = 0.015
_PAUSE_AFTER_ERROR_S = 0.25
# Nearly every event is there within the first; whoever waits longer is looked for in every eighth round only.
_SOON_S = 0.5
_ROUNDS_APART = 8

# A return that waits for its purchase stands in the inbox already, but has had no effect yet.
_DECIDED = """
    SELECT i.* FROM unnest($1::text[], $2::uuid[]) AS asked (tenant, event_id) CROSS JOIN LATERAL (
        SELECT tenant, event_id, coalesce(w.outcome, i.outcome) AS outcome
        FROM inbox i LEFT JOIN waiting_return w USING (event_id, tenant)
        WHERE (i.event_id, i.tenant) = (asked.event_id, asked.tenant)
            AND (w.event_id IS NULL OR w.outcome IS NOT NULL) OFFSET 0
    ) AS i
"""
_EventKey = tuple[str, UUID]


class Arrivals:
    """Tells when events are decided."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._deadlines: dict[_EventKey, dict[asyncio.Future[str | None], float]] = {}
        self._since: dict[_EventKey, float] = {}
        self._polling: asyncio.Task[None] | None = None

    async def outcome(self, tenant: str, event_id: UUID, timeout_s: float) -> str | None:
        """`applied` or `rejected`, as soon as it is known; None when it is not by then. Looks at least once."""
        loop = asyncio.get_running_loop()
        key, future = (tenant, event_id), loop.create_future()
        self._deadlines.setdefault(key, {})[future] = loop.time() + timeout_s
        self._since[key] = loop.time()
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            found: str | None = await future
        finally:
            self._forget(key, future)
        return found

    async def _poll(self) -> None:
        round_number = 0
        while self._deadlines:
            keys = self._to_look_for(round_number)
            round_number += 1
            looked_for = [(key, future) for key in keys for future in self._deadlines[key]]
            pause_s = _PAUSE_S
            try:
                await self._look(keys)
            except Exception as error:  # noqa: BLE001 - who waits learns it from the reading that follows
                _log.warning("arrivals_unknown", error=f"{type(error).__name__}: {error}"[:200])
                pause_s = _PAUSE_AFTER_ERROR_S
            self._give_up(looked_for)
            await asyncio.sleep(pause_s)

    def _to_look_for(self, round_number: int) -> list[_EventKey]:
        if round_number % _ROUNDS_APART == 0:
            return list(self._deadlines)
        now = asyncio.get_running_loop().time()
        return [key for key in self._deadlines if self._is_soon(key, now)]

    def _is_soon(self, key: _EventKey, now: float) -> bool:
        """Whether it was asked for a moment ago, or somebody's patience ends."""
        return now - self._since[key] < _SOON_S or min(self._deadlines[key].values()) <= now

    async def _look(self, keys: Sequence[_EventKey]) -> None:
        if not keys:
            return
        tenants, event_ids = zip(*keys, strict=True)
        async with transaction(self._engine) as tx:
            rows = await tx.raw.fetch(_DECIDED, tenants, event_ids)
        for tenant, event_id, outcome in rows:
            for future in self._deadlines.get((tenant, event_id), ()):
                if not future.done():
                    future.set_result(outcome)

    def _give_up(self, looked_for: list[tuple[_EventKey, asyncio.Future[str | None]]]) -> None:
        """Let go who has waited long enough."""
        now = asyncio.get_running_loop().time()
        for key, future in looked_for:
            if not future.done() and self._deadlines[key][future] <= now:
                future.set_result(None)

    def _forget(self, key: _EventKey, future: asyncio.Future[str | None]) -> None:
        futures = self._deadlines[key]
        del futures[future]
        if not futures:
            del self._deadlines[key], self._since[key]
