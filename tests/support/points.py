"""A shop's events, and the points service on a database of its own, without Kafka."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from services.points.adapters.audit import CHECKS
from services.points.adapters.balances import Balance, BalanceReader
from services.points.adapters.programmes import ProgrammeTable
from services.points.adapters.wallets import WalletTables
from services.points.application.activation import ActivateDue
from services.points.application.programmes import Change, publish
from services.points.bootstrap import MIGRATIONS, SERVICE, build_application
from services.points.entrypoints.schedule import Schedule
from shared.db.engine import create_engine
from shared.db.migrate import migrate
from shared.db.transaction import transaction
from shared.events.activities import ActivityRecorded
from shared.events.contract import Event
from shared.events.customers import CustomerErased, CustomerUpdated
from shared.events.envelope import Envelope, record_of
from shared.events.feedback import FeedbackSubmitted
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseLine, PurchaseReturned, ReturnedLine
from shared.ids import event_id, new_id
from shared.messaging import inbox, outbox
from shared.messaging.incoming import Effects, Incoming, Outcome, RawRecord, read
from tests.support.eventually import until
from tests.support.stack import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
APPLICATION = build_application()


@dataclass(frozen=True)
class Shop:
    """Makes the events of one tenant; `name` makes an event's id."""

    currency: str = "EUR"
    tenant: str = field(default_factory=lambda: f"t-{new_id().hex}")

    def id(self, name: str) -> UUID:
        return event_id(self.tenant, "test", name)

    def incoming(
        self, event: Event, name: str, taken_in_at: datetime = NOON, stamp: int = 0, offset: int = 0
    ) -> Incoming:
        """The event as the consumer hands it over."""
        envelope = Envelope(
            id=self.id(name), type=event.TYPE, version=event.VERSION, tenant=self.tenant, source="test",
            time=taken_in_at, programme_version=stamp,
        )  # fmt: skip
        record = record_of(envelope, event)
        raw = RawRecord(record.topic, 0, offset, record.key, record.value, record.headers, NOON)
        item = read(raw, APPLICATION.events.__contains__)
        assert isinstance(item, Incoming), item
        return item

    def bought(
        self, order: str, total: int = 4990, customer: str | None = "ada", at: datetime = NOON, name: str = "",
        lines: Sequence[tuple[str, int, int]] = (), **more: Any,
    ) -> Incoming:  # fmt: skip
        """`lines`: id, quantity, price of one."""
        event = PurchaseCompleted(
            occurred_at=at, order_id=order, customer_id=customer, currency=more.pop("currency", self.currency),
            total_minor=total,
            lines=tuple(PurchaseLine(line_id=i, sku=i, quantity=q, unit_price_minor=p) for i, q, p in lines),
        )  # fmt: skip
        return self.incoming(event, name or f"buy {order}", **more)

    def returned(
        self, order: str, amount: int, customer: str | None = "ada", at: datetime = NOON, name: str = "",
        lines: Sequence[tuple[str, int]] = (), **more: Any,
    ) -> Incoming:  # fmt: skip
        """`lines`: id, quantity; all of the money was given back for the first."""
        event = PurchaseReturned(
            occurred_at=at, order_id=order, customer_id=customer, currency=more.pop("currency", self.currency),
            total_minor=amount,
            lines=tuple(
                ReturnedLine(line_id=i, quantity=q, amount_minor=0 if number else amount)
                for number, (i, q) in enumerate(lines)
            ),
        )  # fmt: skip
        return self.incoming(event, name or f"return {order} {amount}", **more)

    def cancelled(
        self, order: str, customer: str | None = "ada", at: datetime = NOON, name: str = "", **more: Any
    ) -> Incoming:
        event = PurchaseCancelled(occurred_at=at, order_id=order, customer_id=customer)
        return self.incoming(event, name or f"cancel {order}", **more)

    def profile(
        self, customer: str = "ada", name: str = "", taken_in_at: datetime = NOON, *, rejoin: bool = False
    ) -> Incoming:
        event = CustomerUpdated(occurred_at=taken_in_at, customer_id=customer, rejoin=rejoin)
        return self.incoming(event, name or f"profile {customer}", taken_in_at)

    def erasure(self, customer: str = "ada", name: str = "", taken_in_at: datetime = NOON) -> Incoming:
        event = CustomerErased(occurred_at=taken_in_at, customer_id=customer)
        return self.incoming(event, name or f"erase {customer}", taken_in_at)

    def feedback(self, customer: str = "ada", name: str = "", **more: Any) -> Incoming:
        event = FeedbackSubmitted(occurred_at=NOON, customer_id=customer, kind="nps", score=9)
        return self.incoming(event, name or f"feedback {customer}", **more)

    def activity(self, customer: str = "ada", name: str = "", **more: Any) -> Incoming:
        event = ActivityRecorded(occurred_at=NOON, customer_id=customer, kind="app_downloaded")
        return self.incoming(event, name or f"activity {customer}", **more)


@dataclass(frozen=True)
class Books:
    """The service's schema, its application, and what the tests ask of them."""

    engine: AsyncEngine
    admin: AsyncEngine
    reader: BalanceReader

    async def tamper(self, statement: str, *arguments: Any) -> None:
        """What nobody but an administrator can do."""
        async with transaction(self.admin) as tx:
            await tx.raw.execute("SET LOCAL search_path = points")
            await tx.raw.execute(statement, *arguments)

    async def kill_connections(self) -> None:
        """As when the server restarts: every session of the service's role is over."""
        await self.tamper(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'test-points'"
        )

    async def open(self, shop: Shop, **terms: Any) -> None:
        """Give a shop a programme, or a new version of it."""
        given = {"name": "shop", "currency": shop.currency} | terms
        async with transaction(self.engine) as tx:
            table = ProgrammeTable()
            known = (await table.versions(tx, [shop.tenant])).get(shop.tenant, [])
            _, told = await publish(tx, table, known, shop.tenant, Change(**given), "test")
            await outbox.append(tx, [told] if told else [])

    async def post(self, *events: Incoming) -> Effects:
        """Bring a batch in, as posting does, without its offset."""
        async with transaction(self.engine) as tx:
            seen = await inbox.sort(tx, events)
            effects = await APPLICATION.apply(tx, seen.fresh) if seen.fresh else Effects()
            decided = [event for event in seen.fresh if effects.of(event.id).status != "waiting"]
            await inbox.record(tx, decided, effects)
            await outbox.append(tx, effects.outgoing)
        return effects

    async def post_each(self, *events: Incoming) -> list[Outcome]:
        """Bring events in one by one; what became of each."""
        return [(await self.post(event)).of(event.id) for event in events]

    async def activate_due(self) -> int:
        """One turn of the worker's schedule."""
        return await Schedule(self.engine, ActivateDue(WalletTables()), 1.0).activate_due()

    async def balance(self, shop: Shop, customer: str = "ada") -> Balance:
        found = await self.reader.read(shop.tenant, customer)
        assert found is not None
        return found

    async def fetch(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        async with transaction(self.engine) as tx:
            return [dict(row) for row in await tx.raw.fetch(query, *arguments)]

    async def entries(self, shop: Shop, customer: str = "ada") -> list[dict[str, Any]]:
        return await self.fetch(
            "SELECT * FROM entry WHERE tenant = $1 AND customer_id = $2 ORDER BY id", shop.tenant, customer
        )

    async def drift(self, shop: Shop | None = None) -> dict[str, list[dict[str, Any]]]:
        """What the auditor finds, by the name of the check; nothing, in a sound ledger."""
        tenant = shop.tenant if shop else None
        found = {check.name: await self.fetch(f"{check.differing} LIMIT 5", tenant) for check in CHECKS}
        return {name: rows for name, rows in found.items() if rows}

    async def drift_if(self, prepare: Sequence[str], statement: str, shop: Shop) -> dict[str, list[dict[str, Any]]]:
        """What the auditor would find after this statement, which is undone."""
        found: dict[str, list[dict[str, Any]]] = {}
        with suppress(_UndoneError):
            async with transaction(self.admin) as tx:
                await tx.raw.execute("SET LOCAL search_path = points")
                for each in prepare:
                    await tx.raw.execute(each)
                assert await tx.raw.execute(statement, shop.tenant) not in ("UPDATE 0", "DELETE 0")
                for check in CHECKS:
                    found[check.name] = [dict(row) for row in await tx.raw.fetch(check.differing, shop.tenant)]
                raise _UndoneError
        return {name: rows for name, rows in found.items() if rows}


class _UndoneError(Exception):
    """A transaction was only to look what would be."""


@asynccontextmanager
async def opened(database: Database) -> AsyncIterator[Books]:
    """The service's tables in a fresh database, and an engine by the role that works with them."""
    await migrate(database.owner, SERVICE, MIGRATIONS)
    engine = create_engine(database.app, name="test-points", pool_size=8)
    admin = create_engine(database.admin, name="test-admin", pool_size=1)
    try:
        yield Books(engine, admin, BalanceReader(engine))
    finally:
        # A reader of balances keeps its session for a moment; given back to a pool that is gone, nobody closes it.
        await until(lambda: engine.pool.checkedout() == 0)
        await engine.dispose()
        await admin.dispose()
