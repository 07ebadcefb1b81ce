"""The judge: what the shoppers remember, and what the topic comes to, against what the platform stored, shows and told.

The topic of purchases, folded serially (oracle.py), comes to what the shoppers remember; every acknowledged event is
applied by points and metrics; every balance is the shoppers' own sum; the figures count what they count; every ledger
entry was published, each customer's in their order; the auditor finds nothing.

At the very end of a run each service is also rebuilt from its topics, and compared: what is this tenant's in it.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import asyncpg

from deploy.audit.report import audit
from deploy.chaos.load import Memory, Till
from deploy.chaos.oracle import folded
from deploy.rebuild.command import rebuilt
from shared.events.contract import Topic
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.messaging.history import read_range
from shared.messaging.incoming import Incoming, RawRecord, read
from shared.messaging.topics import log_ranges
from shared.money import to_text

T = TypeVar("T")
_TOLD: Final = [(Topic.POINTS.value, part) for part in range(6)]
_DONE: Final = [(Topic.PURCHASES.value, part) for part in range(6)]
_SHOPPERS_DO: Final = frozenset((PurchaseCompleted.TYPE, PurchaseReturned.TYPE, PurchaseCancelled.TYPE))
_MISSING: Final = """
    SELECT asked.event_id FROM unnest($2::uuid[]) AS asked (event_id)
    LEFT JOIN {s}.inbox i ON (i.tenant, i.event_id) = ($1, asked.event_id)
    WHERE i.outcome IS DISTINCT FROM 'applied'
"""
_VERSIONS: Final = """
    SELECT customer_id, max(wallet_version) AS version, count(*) AS entries
    FROM points.entry WHERE tenant = $1 GROUP BY customer_id
"""
_EVER: Final = "/v1/metrics/average-order-value?from=2020-01-01&to=2032-01-01"


class DriftError(AssertionError):
    """The platform lost, doubled or changed something."""


@dataclass(frozen=True)
class Court:
    """One tenant of one stack. `began`: where the topics of purchases and of points ended when the load began."""

    base_url: str
    database_url: str
    bootstrap: str
    tenant: str
    api_key: str
    began: dict[tuple[str, int], tuple[int, int]]

    @classmethod
    def opened(cls, base_url: str, database_url: str, bootstrap: str, tenant: str, api_key: str) -> "Court":
        """Before the load begins."""
        began = in_a_thread(log_ranges(bootstrap, [*_DONE, *_TOLD]))
        return cls(base_url, database_url, bootstrap, tenant, api_key, began)

    def judge(self, memory: Memory, within_s: float = 120.0) -> None:
        """Raises DriftError with the first differences when the platform is not, within this time, as remembered."""
        deadline = time.monotonic() + within_s
        in_a_thread(self._remembered(memory))
        in_a_thread(self._effects(memory, deadline))
        self._figures(memory, deadline)
        in_a_thread(self._published(deadline))
        in_a_thread(self._audited())

    def replay(self, service: str) -> None:
        """Raises DriftError where the topics, folded into an empty schema, are not what is live of this tenant."""
        tables = in_a_thread(
            rebuilt(self.database_url, self.bootstrap, service, f"rebuilt_{service}", tenant=self.tenant, drop=True)
        )
        wrong = [table for table in tables if table["differing"]]
        if wrong:
            raise DriftError(f"{service}, rebuilt from the topics, differ: {wrong}")

    async def _remembered(self, memory: Memory) -> None:
        """What was acknowledged is in the log, and the log comes to what the shoppers remember."""
        read_all = [
            read(raw, _SHOPPERS_DO.__contains__)
            async for chunk in self._since_it_began(_DONE)
            for raw in chunk
            if dict(raw.headers).get("ce_tenant") == self.tenant.encode()
        ]
        books = folded([item for item in read_all if isinstance(item, Incoming)], memory.given_up)
        wrong = {
            customer: (books.points.get(customer, 0), memory.kept.get(customer, 0))
            for customer in books.points.keys() | memory.kept.keys()
            if books.points.get(customer, 0) != memory.kept.get(customer, 0)
        }
        found, wanted = (books.orders, books.refunds_minor), (memory.orders, memory.refunds_minor)
        if wrong or found != wanted:
            raise DriftError(
                f"the topic, folded serially, comes to {found} orders and refunds, {wanted} are remembered; points of"
                f" {len(wrong)} customers differ: {list(wrong.items())[:3]}"
            )

    async def _since_it_began(self, places: Sequence[tuple[str, int]]) -> AsyncIterator[list[RawRecord]]:
        ends = await log_ranges(self.bootstrap, places)
        for topic, part in places:
            start, end = self.began[topic, part][1], ends[topic, part][1]
            async for chunk in read_range(self.bootstrap, topic, part, start, end):
                yield chunk

    async def _effects(self, memory: Memory, deadline: float) -> None:
        for service in ("points", "metrics"):
            query = _MISSING.format(s=service)
            left = await left_over(deadline, self.database_url, query, self.tenant, list(memory.events))
            if left:
                raise DriftError(f"{len(left)} acknowledged events have no effect in {service}: {left[:5]}")

    def till(self) -> Till:
        """A way to ask the gateway as this tenant."""
        return Till(self.base_url, self.api_key, random.Random(0))  # noqa: S311 - no secret

    def _figures(self, memory: Memory, deadline: float) -> None:
        with closing(self.till()) as till:
            self._balances(till, memory)
            self._metrics(till, memory, deadline)

    @staticmethod
    def _balances(till: Till, memory: Memory) -> None:
        wrong = {}
        for customer, wanted in memory.kept.items():
            status, balance = till.once("GET", f"/v1/customers/{customer}/balance")
            if status != 200 or balance["available"] - balance["debt"] != wanted:
                wrong[customer] = {"is": balance, "should be": wanted}
        if wrong:
            raise DriftError(f"{len(wrong)} of {len(memory.kept)} balances differ: {list(wrong.items())[:3]}")

    @staticmethod
    def _metrics(till: Till, memory: Memory, deadline: float) -> None:
        should_be = (memory.orders, to_text(memory.refunds_minor, "EUR"))
        figures = None
        while time.monotonic() < deadline:
            status, answer = till.once("GET", _EVER)
            figures = (answer["orders"], answer["refunds"]) if status == 200 else answer
            if figures == should_be:
                return
            time.sleep(0.2)
        raise DriftError(f"orders and refunds in metrics are {figures}, should be {should_be}")

    async def _published(self, deadline: float) -> None:
        """Each wallet's versions were told at least once, and first in their order."""
        connection = await asyncpg.connect(self.database_url, timeout=30)
        try:
            rows = await connection.fetch(_VERSIONS, self.tenant)
        finally:
            await connection.close()
        wanted = {row["customer_id"]: list(range(1, row["version"] + 1)) for row in rows}
        uneven = [row for row in rows if row["version"] != row["entries"]]
        if uneven:
            raise DriftError(f"wallet versions are not one a ledger entry: {uneven[:3]}")

        async def missing() -> list[Any]:
            told = await self._told()
            return [(one, told.get(one), versions) for one, versions in wanted.items() if told.get(one) != versions]

        left = await _until_empty(missing, deadline)
        if left:
            raise DriftError(f"{len(left)} customers' events are not published once or not in order: {left[:3]}")

    async def _told(self) -> dict[str, list[int]]:
        """The wallet versions told of each customer, in the order of their first telling."""
        told: dict[str, dict[int, None]] = {}
        tenant = self.tenant.encode()
        async for chunk in self._since_it_began(_TOLD):
            for raw in chunk:
                if dict(raw.headers).get("ce_tenant") == tenant:
                    data = json.loads(raw.value or b"{}")
                    told.setdefault(data["customer_id"], {})[data["wallet_version"]] = None
        return {customer: list(versions) for customer, versions in told.items()}

    async def _audited(self) -> None:
        """`treue verify` on the whole stack."""
        _, findings = await audit(self.database_url, self.bootstrap)
        wrong = [finding.as_json() for finding in findings if not finding.is_right]
        if wrong:
            raise DriftError(f"treue verify finds drift: {wrong}")


async def left_over(deadline: float, database_url: str, query: str, *arguments: Any) -> list[Any]:
    """The rows that a query still finds when time is over; it is asked again until there are none."""
    connection = await asyncpg.connect(database_url, timeout=30)
    try:
        return await _until_empty(lambda: connection.fetch(query, *arguments), deadline)
    finally:
        await connection.close()


async def _until_empty(look: Callable[[], Awaitable[list[Any]]], deadline: float) -> list[Any]:
    """What is left of it when it is empty or time is over."""
    while left := await look():
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.3)
    return left


def in_a_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run this with an event loop of its own, whatever loop the caller has."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
