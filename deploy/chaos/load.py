"""Shoppers who buy, return and repeat themselves until told to stop, and remember what was acknowledged.

What they remember is a serial oracle: each order belongs to one shopper, who does one thing after the other. Some
returns come before their purchase; some orders are cancelled, and some of these bought again; some event ids come again
with another body, which must have no effect.
"""

import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from shared.clock import SystemClock
from shared.ids import new_id_text
from shared.money import to_text

PURCHASES: Final = "/v1/purchases"
RETURNS: Final = "/v1/returns"
CANCELLATIONS: Final = "/v1/cancellations"
_TIMEOUT_S: Final = 30.0
_PATIENCE_S: Final = 180.0
_CUSTOMERS_EACH: Final = 8
# How far the clocks of tills are behind or ahead; the gateway takes five minutes.
_CLOCKS_S: Final = (-60, -60, 0, 30, 240)


class NotAcknowledgedError(AssertionError):
    """The platform did not take an event within the shopper's patience, or refused a good one."""


@dataclass(frozen=True)
class Acknowledged:
    """A 202: the event's id, and how long it took in all and for the slowest single answer."""

    event_id: str
    took_s: float
    slowest_answer_s: float
    refusals: Counter[str]


@dataclass
class Memory:
    """What was acknowledged, and what must follow from it. `given_up`: purchases that an operator discarded as dead
    letters of points."""

    events: dict[str, str] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    orders: int = 0
    refunds_minor: int = 0
    given_up: set[str] = field(default_factory=set)
    sent: int = 0
    slowest_s: float = 0.0
    slowest_answer_s: float = 0.0
    refusals: Counter[str] = field(default_factory=Counter)
    _slowest_since_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def acknowledge(self, path: str, answer: Acknowledged) -> None:
        """Keep an event that must have its effect from now on."""
        with self._lock:
            self.events[answer.event_id] = path
            self.sent += 1
            self.slowest_s = max(self.slowest_s, answer.took_s)
            self.slowest_answer_s = max(self.slowest_answer_s, answer.slowest_answer_s)
            self._slowest_since_s = max(self._slowest_since_s, answer.slowest_answer_s)
            self.refusals += answer.refusals

    def slowest_answer_since_s(self) -> float:
        """The slowest single answer on the way to an acknowledgement since this was last asked."""
        with self._lock:
            found, self._slowest_since_s = self._slowest_since_s, 0.0
        return found

    def keep(self, customer: str, total_minor: int, back_minor: int) -> None:
        """An order of this customer is over: one point for each whole unit of what stays paid."""
        with self._lock:
            self.kept[customer] += (total_minor - back_minor) // 100
            self.orders += 1
            self.refunds_minor += back_minor


class Till:
    """One shopper's connection to the gateway, with a careful shop's patience: the same body again after a 5xx, a 429
    or a broken connection."""

    def __init__(self, base_url: str, api_key: str, dice: random.Random) -> None:
        self._address, self._dice = urlsplit(base_url).netloc, dice
        self._headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
        self._connection: HTTPConnection | None = None

    def send(self, path: str, body: dict[str, Any], patience_s: float = _PATIENCE_S) -> Acknowledged:
        """Post until acknowledged. Raises NotAcknowledgedError."""
        begun, slowest_s, refusals = time.monotonic(), 0.0, Counter[str]()
        while True:
            asked = time.monotonic()
            status, answer = self.once("POST", path, body)
            slowest_s = max(slowest_s, time.monotonic() - asked)
            if status == 202 or (status == 409 and answer["code"] == "event_id_conflict"):
                # 409: the gateway still knows the first body, whose effect the judge will ask for.
                return Acknowledged(answer["event_id"], time.monotonic() - begun, slowest_s, refusals)
            if 400 <= status < 500 and status != 429:
                raise NotAcknowledgedError(f"{path} answered {status}: {answer}")
            refusals[str(status or "broken")] += 1
            if time.monotonic() > begun + patience_s:
                raise NotAcknowledgedError(f"{path} was not acknowledged in {patience_s} s: {status} {answer}")
            time.sleep(0.05 + self._dice.random() * 0.2)

    def close(self) -> None:
        """The shopper goes home."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def once(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer of one request; 0 and the reason where there was none."""
        status, answer, _ = self.exchange(method, path, body)
        return status, answer

    def exchange(self, method: str, path: str, body: Any = None) -> tuple[int, Any, Mapping[str, str]]:
        """The same, and the answer's headers by their names in lower case."""
        connection = self._connection or HTTPConnection(self._address, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self._headers)
            response = connection.getresponse()
            content = response.read()
            self._connection = connection
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, json.loads(content or b"null"), headers
        except (OSError, HTTPException, ValueError) as broken:
            connection.close()
            self._connection = None
            return 0, repr(broken), {}


class Load:
    """Runs from its making until `finish`. `pause_s` between two orders of one shopper keeps the load even.

    `other_bodies`: some event ids come again with another body. The first one counts, for it was acknowledged before,
    unless somebody lets it become a dead letter: then a service sees the other one first.
    `undoing`: some orders are cancelled, and some of these bought again.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        seed: int,
        shoppers: int = 4,
        pause_s: float = 0.05,
        other_bodies: bool = False,
        undoing: bool = False,
    ) -> None:
        self.memory = Memory()
        self._other_bodies, self._undoing = other_bodies, undoing
        self._base_url, self._api_key, self._pause_s = base_url, api_key, pause_s
        self._name = f"{seed}-{new_id_text()[-8:]}"
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(shoppers, thread_name_prefix="shopper")
        dice = [random.Random(f"{seed}/{number}") for number in range(shoppers)]  # noqa: S311 - to be repeated
        self._running = [self._pool.submit(self._shop, number, die) for number, die in enumerate(dice)]

    def finish(self) -> Memory:
        """Have every shopper end what is begun, which is acknowledged then. Raises what stopped one of them."""
        self._stop.set()
        self._pool.shutdown()
        for one in self._running:
            one.result()
        return self.memory

    def progressed(self, count: int, within_s: float = 60.0) -> None:
        """Wait until so many more events were acknowledged. Raises NotAcknowledgedError."""
        wanted, deadline = self.memory.sent + count, time.monotonic() + within_s
        while self.memory.sent < wanted:
            failed = next((one.exception() for one in self._running if one.done()), None)
            if failed is not None or time.monotonic() > deadline:
                raise NotAcknowledgedError(f"{wanted - self.memory.sent} of {count} are missing") from failed
            time.sleep(0.02)

    def _shop(self, number: int, dice: random.Random) -> None:
        customers = [f"c-{self._name}-{number}-{n}" for n in range(_CUSTOMERS_EACH)]
        orders = 0
        with closing(Till(self._base_url, self._api_key, dice)) as till:
            while not self._stop.wait(self._pause_s):
                orders += 1
                self._order(till, dice, dice.choice(customers), f"{self._name}-{number}-{orders}")

    def _order(self, till: Till, dice: random.Random, customer: str, name: str) -> None:
        total = dice.randrange(1, 20_000)
        back = dice.randrange(1, total + 1) if dice.random() < 0.25 else 0
        clock_s = dice.choice(_CLOCKS_S)
        bought = purchase(customer, name, total, clock_s)
        bodies = [(PURCHASES, bought)] + ([(RETURNS, returned(bought, name, back))] if back else [])
        if dice.random() < 0.2:
            bodies.reverse()
        if dice.random() < 0.1:
            bodies.append(bodies[0])
        if self._other_bodies and dice.random() < 0.05:
            bodies.append((PURCHASES, purchase(customer, name, total + 100, clock_s)))
        undone = self._undoing and dice.random() < 0.1
        if undone:
            bodies.append((CANCELLATIONS, cancelled(bought, name)))
        if undone and dice.random() < 0.5:
            undone = False
            bodies.append((PURCHASES, bought | {"event_id": f"again-{name}"}))
        for path, body in bodies:
            self.memory.acknowledge(path, till.send(path, body))
        if not undone:
            self.memory.keep(customer, total, back)


def purchase(customer: str, name: str, total_minor: int, clock_s: int = -60) -> dict[str, Any]:
    """A purchase of one thing at this moment, by a clock that is so many seconds ahead; unless told, a minute ago."""
    total = to_text(total_minor, "EUR")
    return {
        "event_id": f"e-{name}",
        "order_id": f"o-{name}",
        "customer_id": customer,
        "occurred_at": (SystemClock().now() + timedelta(seconds=clock_s)).isoformat(),
        "currency": "EUR",
        "total": total,
        "lines": [{"line_id": "1", "sku": "mug", "quantity": 1, "unit_price": total}],
    }


def cancelled(bought: dict[str, Any], name: str) -> dict[str, Any]:
    """All of it is undone."""
    return {
        "event_id": f"x-{name}",
        "order_id": bought["order_id"],
        "customer_id": bought["customer_id"],
        "occurred_at": SystemClock().now().isoformat(),
    }


def returned(bought: dict[str, Any], name: str, back_minor: int) -> dict[str, Any]:
    """What comes back of it."""
    return {
        "event_id": f"r-{name}",
        "order_id": bought["order_id"],
        "customer_id": bought["customer_id"],
        "occurred_at": SystemClock().now().isoformat(),
        "currency": "EUR",
        "total": to_text(back_minor, "EUR"),
    }
