"""A shop that contradicts itself: the same order bought by a guest and by a customer, or brought back by both, at the
same moment, in two partitions. Only one of the two can have its effect, and each service takes what it sees first.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

from deploy.chaos.judge import Court, DriftError, in_a_thread, left_over
from deploy.chaos.load import PURCHASES, RETURNS, purchase, returned

Quarrel = tuple[str, str]

_TOTAL_MINOR: Final = 1000
_BACK_MINOR: Final = 600
# Quarrels of whose two events a service did not take exactly one.
_UNDECIDED: Final = """
    SELECT one, other FROM unnest($2::uuid[], $3::uuid[]) AS quarrel (one, other) WHERE 1 IS DISTINCT FROM (
        SELECT CASE WHEN count(*) = 2 THEN sum(({taken})::int) END FROM {service}.inbox i {late}
        WHERE i.tenant = $1 AND i.event_id IN (one, other)
    )
"""
# A return that came before its purchase is decided later than its place in the inbox says.
_TAKEN: Final = {
    "points": {
        "taken": "coalesce(w.outcome, i.outcome) = 'applied'",
        "late": "LEFT JOIN points.waiting_return w ON (w.event_id, w.tenant) = (i.event_id, i.tenant)",
    },
    "metrics": {
        "taken": "i.outcome = 'applied' AND r.refused IS NOT TRUE",
        "late": "LEFT JOIN metrics.refund r ON (r.event_id, r.tenant) = (i.event_id, i.tenant)",
    },
}


class Quarrels:
    """Goes on until finished, in a tenant of its own. Every second quarrel is about a return."""

    def __init__(self, court: Court, pause_s: float = 0.5) -> None:
        self._court, self._pause_s = court, pause_s
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="quarrel")
        self.over: list[Quarrel] = []
        self._running = self._pool.submit(self._go_on)

    def finish(self) -> None:
        """End what is begun: `over` holds the two events of each quarrel, all acknowledged. Raises what stopped it."""
        self._stop.set()
        try:
            self._running.result()
        finally:
            self._pool.shutdown()

    def judge(self, within_s: float) -> None:
        """Raises DriftError where a service took both events of a quarrel, or neither."""
        in_a_thread(self._decided(time.monotonic() + within_s))

    async def _decided(self, deadline: float) -> None:
        ones, others = [one for one, _ in self.over], [other for _, other in self.over]
        for service, names in _TAKEN.items():
            query = _UNDECIDED.format(service=service, **names)
            left = await left_over(deadline, self._court.database_url, query, self._court.tenant, ones, others)
            if left:
                raise DriftError(f"{service} took both or neither of {len(left)} quarrels: {left[:3]}")

    def _go_on(self) -> None:
        with closing(self._court.till()) as one, closing(self._court.till()) as other:
            while not self._stop.wait(self._pause_s):
                name = f"{self._court.tenant[-8:]}-{len(self.over)}"
                about = purchase(f"c-{name}", name, _TOTAL_MINOR)
                path = PURCHASES
                if len(self.over) % 2:
                    one.send(path, about)
                    path, about = RETURNS, returned(about, name, _BACK_MINOR)
                of_a_guest = {key: value for key, value in about.items() if key != "customer_id"}
                said = self._pool.submit(one.send, path, about)
                denied = self._pool.submit(other.send, path, {**of_a_guest, "event_id": f"{about['event_id']}-guest"})
                self.over.append((said.result().event_id, denied.result().event_id))
