"""When points fall behind, tenants share what there is: a backlog waits in front of everybody, so whoever brings much
brings less until it is worked off.

How far behind they are is seen by the events that came in here: now and then one of them is followed until points have
it. Nothing is narrowed where only one tenant brings events: it waits behind itself.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from services.gateway.tenants.quotas import Quotas
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_EVERY_S: Final = 0.25
_FOLLOWED_MAX: Final = 8
_GIVEN_UP_S: Final = 30.0
_BEHIND_S: Final = 1.0
_CAUGHT_UP_S: Final = 0.5
# Quickly down and slowly up, as congestion is met everywhere (AIMD).
_NARROW: Final = 0.6
_WIDEN: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Followed:
    """An event on its way. `since`: when Kafka had it."""

    tenant: str
    event_id: str
    since: float


# Whether points have this event of this tenant; None when they cannot be asked.
Arrived = Callable[[str, str], Awaitable[bool | None]]


class Sharing:
    """Follows events and sets the share of its rate that every tenant may use; `least` is kept whatever happens."""

    def __init__(self, quotas: Quotas, arrived: Arrived, least: float) -> None:
        self.quotas, self._arrived, self._least = quotas, arrived, min(least, 1.0)
        self._followed: deque[_Followed] = deque()
        self._next_at = 0.0
        self.share = 1.0

    def note(self, tenant: str, event_id: str) -> None:
        """Kafka has this event, of which points will hear; some of them are followed."""
        now = monotonic()
        if now >= self._next_at and len(self._followed) < _FOLLOWED_MAX:
            self._next_at = now + _EVERY_S
            self._followed.append(_Followed(tenant, event_id, now))

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - nobody waits for this task: said, and done again at its next turn
                _log.exception("sharing_failed")

    async def look(self) -> None:
        """One look at what is on its way: the oldest tells how far behind points are."""
        behind_s = 0.0
        while self._followed:
            oldest = self._followed[0]
            arrived = await self._arrived(oldest.tenant, oldest.event_id)
            age_s = monotonic() - oldest.since
            if arrived is None:
                if age_s > _GIVEN_UP_S:
                    self._followed.popleft()
                return  # nobody knows: everything stays as it is
            behind_s = max(behind_s, age_s)
            if not arrived and age_s < _GIVEN_UP_S:
                break
            self._followed.popleft()
        self._set(behind_s)

    def _set(self, behind_s: float) -> None:
        before = self.share
        if behind_s > _BEHIND_S and self.quotas.are_shared():
            self.share = max(self._least, self.share * _NARROW)
        elif behind_s < _CAUGHT_UP_S:
            self.share = min(1.0, self.share + _WIDEN)
        if self.share != before:
            self.quotas.narrow(self.share)
            if before == 1.0:
                _log.warning("tenants_share", behind_s=round(behind_s, 1), share=round(self.share, 2))
