"""The sweeper: ends the wait of messages whose customer's profile never came."""

import asyncio
import contextlib

from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifications.application.claiming import Claiming
from shared.db.transaction import transaction
from shared.messaging.failures import Verdict, verdict
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_LIMIT = 500


class Sweeper:
    """Looks at short intervals. The deadline is compared with the database's clock."""

    def __init__(self, engine: AsyncEngine, claiming: Claiming, *, poll_s: float) -> None:
        self._engine, self._claiming, self._poll_s = engine, claiming, poll_s

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until told to stop."""
        while not stop.is_set():
            try:
                swept = await self.sweep()
            except Exception as error:  # noqa: BLE001 - the edge of the process: judged, logged, tried again
                swept = 0
                known = verdict(error) is not Verdict.REFUSE
                (_log.warning if known else _log.exception)("sweep_failed", error=f"{type(error).__name__}: {error}")
            if swept < _LIMIT:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), timeout=self._poll_s)

    async def sweep(self) -> int:
        """Once; returns how many messages were skipped."""
        async with transaction(self._engine) as tx:
            return await self._claiming.give_up_waiting(tx, _LIMIT)
