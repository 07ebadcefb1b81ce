"""A shop's events, and the metrics service on a database of its own, without Kafka."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.adapters import queries
from services.metrics.adapters.audit import invariants
from services.metrics.adapters.store import TableStore
from services.metrics.bootstrap import MIGRATIONS, SERVICE
from services.metrics.entrypoints.consumer import MetricsApplication
from shared.db.engine import create_engine
from shared.db.migrate import migrate
from shared.db.transaction import Transaction, transaction
from shared.events.contract import Event
from shared.events.customers import CustomerErased, CustomerUpdated
from shared.events.envelope import Envelope, record_of
from shared.events.feedback import FeedbackSubmitted
from shared.events.programmes import ProgrammeUpdated
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.ids import event_id, new_id
from shared.messaging.incoming import Effects, Incoming, Outcome, RawRecord, read
from tests.support.stack import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
APPLICATION = MetricsApplication(TableStore)


@dataclass(frozen=True)
class Shop:
    """Makes the events of one tenant; `name` makes an event's id."""

    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    tenant: str = field(default_factory=lambda: f"t-{new_id().hex}")

    def incoming(self, event: Event, name: str, part: int = 0, received_at: datetime = NOON) -> Incoming:
        """The event as the consumer hands it over."""
        identity = event_id(self.tenant, "test", name)
        envelope = Envelope(
            id=identity,
            type=event.TYPE,
            version=event.VERSION,
            tenant=self.tenant,
            source="test",
            time=received_at,
        )
        record = record_of(envelope, event)
        raw = RawRecord(record.topic, part, 0, record.key, record.value, record.headers, NOON)
        item = read(raw, APPLICATION.events.__contains__)
        assert isinstance(item, Incoming), item
        return item

    def programme(self, version: int = 1, time_zone: str = "") -> Incoming:
        event = ProgrammeUpdated(
            occurred_at=NOON, version=version, effective_from=NOON, name="shop", currency=self.currency,
            time_zone=time_zone or self.time_zone, locale="de-DE", points_per_unit="1", rounding="floor",
            return_policy="recompute",
        )  # fmt: skip
        return self.incoming(event, f"programme-{version}")

    def bought(
        self, order: str, total: int = 10_000, customer: str | None = "ada", at: datetime = NOON, **more: Any
    ) -> Incoming:
        event = PurchaseCompleted(
            occurred_at=at, order_id=order, customer_id=customer, currency=more.pop("currency", self.currency),
            total_minor=total, lines=(),
        )  # fmt: skip
        return self.incoming(event, more.pop("name", f"buy {order}"), **more)

    def returned(
        self, order: str, amount: int, customer: str | None = "ada", at: datetime = NOON, **more: Any
    ) -> Incoming:
        event = PurchaseReturned(
            occurred_at=at, order_id=order, customer_id=customer, currency=more.pop("currency", self.currency),
            total_minor=amount,
        )  # fmt: skip
        return self.incoming(event, more.pop("name", f"return {order} {amount}"), **more)

    def cancelled(self, order: str, customer: str | None = "ada", at: datetime = NOON, **more: Any) -> Incoming:
        event = PurchaseCancelled(occurred_at=at, order_id=order, customer_id=customer)
        return self.incoming(event, more.pop("name", f"cancel {order}"), **more)

    def answered(
        self, name: str, score: int, customer: str = "ada", at: datetime = NOON, kind: Any = "nps"
    ) -> Incoming:
        return self.incoming(FeedbackSubmitted(occurred_at=at, customer_id=customer, kind=kind, score=score), name)

    def profile(self, name: str, customer: str = "ada", received_at: datetime = NOON, **more: Any) -> Incoming:
        event = CustomerUpdated(occurred_at=more.pop("at", received_at), customer_id=customer, **more)
        return self.incoming(event, name, received_at=received_at)

    def erasure(self, customer: str = "ada", received_at: datetime = NOON, name: str = "") -> Incoming:
        event = CustomerErased(occurred_at=received_at, customer_id=customer)
        return self.incoming(event, name or f"erase {customer}", received_at=received_at)


class Metrics:
    """The service's tables, and its `apply` in transactions of its own."""

    def __init__(self, engine: AsyncEngine, admin: str) -> None:
        self.engine, self._admin = engine, admin

    @classmethod
    async def on(cls, database: Database) -> "Metrics":
        """Migrated by the owner, used by the role that works."""
        await migrate(database.owner, SERVICE, MIGRATIONS)
        return cls(create_engine(database.app, name="test-metrics", pool_size=8), database.admin)

    async def tamper(self, statement: str, *values: Any) -> None:
        """What nobody but an administrator can do."""
        connection = await asyncpg.connect(self._admin)
        try:
            await connection.execute("SET search_path = metrics")
            assert await connection.execute(statement, *values) not in ("INSERT 0 0", "UPDATE 0", "DELETE 0")
        finally:
            await connection.close()

    async def apply(self, events: Sequence[Incoming]) -> Effects:
        async with self.tx() as tx:
            return await APPLICATION.apply(tx, events)

    async def outcomes(self, *events: Incoming) -> list[Outcome]:
        effects = await self.apply(events)
        return [effects.of(event.id) for event in events]

    async def fetch(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.tx() as tx:
            return [tuple(row) for row in await tx.raw.fetch(query, *values)]

    async def drift(self, tenant: str | None) -> dict[str, list[tuple[Any, ...]]]:
        """What the auditor finds, by check."""
        found = {check.name: await self.fetch(check.differing, tenant) for check in invariants()}
        return {name: rows for name, rows in found.items() if rows}

    async def figure(self, query: Any, shop: Shop, start: str, end: str) -> Any:
        """The answer of one of adapters.queries for a period."""
        period = queries.Period(datetime.fromisoformat(start).date(), datetime.fromisoformat(end).date())
        async with self.tx() as tx:
            return await query(tx, shop.tenant, period)

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[Transaction]:
        async with transaction(self.engine, statement_timeout_s=60) as tx:
            yield tx
