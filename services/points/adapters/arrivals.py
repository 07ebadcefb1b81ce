"""Waits until an event has had its effect: one query for all who wait, every few milliseconds while anybody does."""

import asyncio
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import transaction
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_PAUSE_S = 0.015
_PAUSE_AFTER_ERROR_S = 0.5

# A return that waits for its purchase stands in the inbox already, but has had no effect yet.
_DECIDED = """
    SELECT i.tenant, i.event_id, coalesce(w.outcome, i.outcome) AS outcome
    FROM unnest($1::text[], $2::uuid[]) AS asked (tenant, event_id)
    JOIN inbox i USING (event_id, tenant) LEFT JOIN waiting_return w USING (event_id, tenant)
    WHERE w.event_id IS NULL OR w.outcome IS NOT NULL
"""
_EventKey = tuple[str, UUID]


class Arrivals:
    """Tells when events are decided."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: dict[_EventKey, set[asyncio.Future[str]]] = {}
        self._polling: asyncio.Task[None] | None = None

    async def outcome(self, tenant: str, event_id: UUID, timeout_s: float) -> str | None:
        """`applied` or `rejected`, as soon as it is known; None when it is not by then."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((tenant, event_id), set()).add(future)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            # The first look is always taken: at zero seconds the question is whether it is there now.
            return await asyncio.wait_for(future, max(timeout_s, 0.25))
        except TimeoutError:
            return None
        finally:
            self._forget((tenant, event_id), future)

    async def _poll(self) -> None:
        while self._waiting:
            pause_s = _PAUSE_S
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - who waits learns it from the reading that follows
                _log.warning("arrivals_unknown", error=f"{type(error).__name__}: {error}"[:200])
                pause_s = _PAUSE_AFTER_ERROR_S
            await asyncio.sleep(pause_s)

    async def _look(self) -> None:
        tenants, event_ids = zip(*self._waiting, strict=True)
        async with transaction(self._engine) as tx:
            rows = await tx.raw.fetch(_DECIDED, tenants, event_ids)
        for tenant, event_id, outcome in rows:
            for future in self._waiting.get((tenant, event_id), ()):
                if not future.done():
                    future.set_result(outcome)

    def _forget(self, key: _EventKey, future: asyncio.Future[str]) -> None:
        waiting = self._waiting.get(key, set())
        waiting.discard(future)
        if not waiting:
            self._waiting.pop(key, None)
