"""Answers to "would you recommend us?": made up, but always the same, and plausible beside the log.

Two in five customers answer, some days after their first purchase; who will come back more often likes the shop better.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from deploy.demo.cdnow import Purchase

# How often of twenty a score is given by customers of one, two, three, and of four and more purchases.
_SCORES: Final = (
    (0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10),
    (1, 3, 5, 6, 6, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 9, 10, 10, 10, 10),
    (2, 5, 6, 7, 7, 8, 8, 8, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10),
    (4, 6, 7, 8, 8, 8, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 10, 10, 10),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One customer's only answer."""

    customer_id: str
    occurred_at: datetime
    score: int

    @property
    def body(self) -> Mapping[str, object]:
        """What is posted."""
        return {
            "event_id": f"nps-{self.customer_id}",
            "customer_id": self.customer_id,
            "kind": "nps",
            "score": self.score,
            "occurred_at": self.occurred_at.isoformat(),
        }


def answers_to(purchases: Sequence[Purchase]) -> list[Answer]:
    """The answers of these purchases' customers, in the order of their time."""
    first = {each.customer_id: each.occurred_at for each in reversed(purchases)}
    orders = Counter(each.customer_id for each in purchases)
    answers = [_answer(customer, orders[customer], first[customer]) for customer in first if _dice(customer)[0] < 102]
    return sorted(answers, key=lambda each: (each.occurred_at, each.customer_id))


def _answer(customer: str, orders: int, first: datetime) -> Answer:
    _, days, seconds, score = _dice(customer)
    at = first + timedelta(days=2 + days % 19, seconds=seconds * 61)
    return Answer(customer, at, _SCORES[min(orders, len(_SCORES)) - 1][score % 20])


def _dice(customer: str) -> bytes:
    """Four bytes of chance, the same in every run and on every machine."""
    return blake2b(customer.encode(), digest_size=4).digest()
