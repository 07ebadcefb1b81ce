"""What the worker does by the clock: points that fall due, and the ledger's months ahead. Several workers may do it
side by side; each step is done once, under locks."""

import asyncio
import contextlib
import random

from sqlalchemy.ext.asyncio import AsyncEngine

from services.points.adapters.months import ensure_months
from services.points.application.activation import ActivateDue
from shared.db.transaction import transaction
from shared.messaging import outbox
from shared.messaging.failures import Verdict, verdict
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_MONTHS_EVERY_S = 6 * 3600.0


class Schedule:
    """Runs until told to stop; a failure is logged and the step done again at its next turn."""

    def __init__(self, engine: AsyncEngine, activate: ActivateDue, interval_s: float) -> None:
        self._engine, self._activate, self._interval_s = engine, activate, interval_s
        self._months_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Look whether something is due, again and again."""
        while not stop.is_set():
            try:
                await self._ensure_months()
                if await self.activate_due():
                    continue
            except Exception as error:  # noqa: BLE001 - the edge of the process: judged, logged, tried again
                known = verdict(error) is not Verdict.REFUSE
                (_log.warning if known else _log.exception)("schedule_failed", error=f"{type(error).__name__}: {error}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=self._interval_s * (0.75 + random.random() / 2))  # noqa: S311

    async def activate_due(self) -> int:
        """Activate some of what is due; how many wallets that were."""
        async with transaction(self._engine) as tx:
            wallets, records = await self._activate(tx, tx.now)
            await outbox.append(tx, records)
        if wallets:
            _log.info("points_activated", wallets=wallets, lots=len(records))
        return wallets

    async def _ensure_months(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._months_at:
            return
        async with transaction(self._engine, lock_timeout_s=2) as tx:
            made = await ensure_months(tx)
        self._months_at = now_s + _MONTHS_EVERY_S
        if made:
            _log.info("entry_months_made", months=made)
