"""Sends the log, waits until every service has taken it up, and reads the figures back."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from typing import Any, Final

from rich.progress import Progress

from deploy.demo.answers import Answer
from deploy.demo.cdnow import END, START, Purchase
from deploy.demo.client import ShopClient
from deploy.demo.figures import Figures

_BATCH: Final = 250
_WAIT_S: Final = 120.0
_PAUSE_S: Final = 0.2
_READERS: Final = 32
_PERIOD: Final = {"from": START, "to": END}


class Replay:
    """One run. Each step shows its progress."""

    def __init__(self, client: ShopClient, progress: Progress) -> None:
        self._client, self._progress = client, progress

    def send(self, purchases: Sequence[Purchase], answers: Sequence[Answer]) -> Mapping[str, str]:
        """Post everything in the order of its time; returns each customer's last purchase event, the latest
        first."""
        ids = self._post("Purchases posted", "purchases", purchases)
        self._post("Answers posted", "feedback", answers)
        # Backwards, so that the customers stand in the order of their last purchases, the latest first.
        last_events: dict[str, str] = {}
        for each, event_id in zip(reversed(purchases), reversed(ids), strict=True):
            last_events.setdefault(each.customer_id, event_id)
        return last_events

    def wait_for_metrics(self, purchases: int, answers: int) -> None:
        """Until so many are counted, or for two minutes: what is missing then, the comparison shows."""
        task = self._progress.add_task("Counted by metrics", total=purchases + answers)
        deadline = time.monotonic() + _WAIT_S
        while time.monotonic() < deadline:
            value, score = self._figure("average-order-value"), self._figure("nps")
            counted = min(value["orders"], purchases) + min(score["responses"], answers)
            self._progress.update(task, completed=counted)
            if counted == purchases + answers:
                return
            time.sleep(_PAUSE_S)

    def points(self, last_events: Mapping[str, str]) -> int:
        """The sum of all balances.

        Those of the customers who bought last are read first, each after their last event had its effect. They stand in
        all partitions, and within a partition events have their effect in order: so nothing is missing in the others.
        """
        task = self._progress.add_task("Balances read", total=len(last_events))
        latest = dict(islice(last_events.items(), _BATCH))

        def read(customer: str) -> int:
            balance = self._client.balance(customer, latest.get(customer))
            self._progress.advance(task)
            return int(balance["available"] + balance["pending"] - balance["debt"])

        with ThreadPoolExecutor(_READERS) as pool:
            first = list(pool.map(read, latest))
            rest = list(pool.map(read, [customer for customer in last_events if customer not in latest]))
        return sum(first) + sum(rest)

    def figures(self, points: int) -> Figures:
        """What the platform says."""
        repeat, frequency = self._figure("repeat-purchase"), self._figure("purchase-frequency")
        value, score = self._figure("average-order-value"), self._figure("nps")
        return {
            "customers": repeat["customers"],
            "purchases": value["orders"],
            "revenue": value["revenue"],
            "repeat_customers": repeat["repeat_customers"],
            "repeat_rate": repeat["rate"],
            "frequency": frequency["frequency"],
            "average_order_value": value["average_order_value"],
            "feedback": score["responses"],
            "nps": score["nps"],
            "points": points,
        }

    def by_month(self) -> list[int]:
        """Orders of each month of the log."""
        firsts = [f"{1997 + n // 12}-{n % 12 + 1:02}-01" for n in range(19)]
        return [self._figure("average-order-value", {"from": a, "to": b})["orders"] for a, b in pairwise(firsts)]

    def _post(self, title: str, name: str, events: Sequence[Purchase] | Sequence[Answer]) -> list[str]:
        task = self._progress.add_task(title, total=len(events))
        ids: list[str] = []
        for start in range(0, len(events), _BATCH):
            bodies = [each.body for each in events[start : start + _BATCH]]
            ids += self._client.post_batch(f"/v1/{name}/batch", name, bodies)
            self._progress.update(task, completed=len(ids))
        return ids

    def _figure(self, name: str, period: Mapping[str, str] = _PERIOD) -> Any:
        return self._client.get(f"/v1/metrics/{name}", **period)
