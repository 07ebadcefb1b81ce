"""A service as small as can be, to test the spine with: it adds up what each customer paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import SystemClock
from shared.db.engine import create_engine
from shared.db.mechanism import create_mechanism_v1
from shared.db.transaction import Transaction, transaction
from shared.events.contract import Event
from shared.events.envelope import Envelope, Record, record_of
from shared.events.points import PointsEarned
from shared.events.purchases import PurchaseCompleted
from shared.ids import event_id, new_id
from shared.messaging.incoming import Effects, Incoming, Outcome
from tests.support.stack import Database

TENANT = "shop"
PAID_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

_ADD = """
    INSERT INTO paid (tenant, customer_id, total) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
    ON CONFLICT (tenant, customer_id) DO UPDATE SET total = paid.total + excluded.total
"""


class BrokenError(ValueError):
    """The handler cannot deal with this event, ever."""


@dataclass
class Counting:
    """`broken`: order ids that raise; `waiting`: order ids that wait until they are taken out of the set."""

    topics: Sequence[str]
    events: Mapping[str, type[Event]] = field(default_factory=lambda: {PurchaseCompleted.TYPE: PurchaseCompleted})
    broken: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    all_broken: bool = False

    def blocks(self, event: Event) -> bool:
        return True

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        effects = Effects()
        totals: dict[tuple[str, str], int] = {}
        for event in events:
            data = event.event
            assert isinstance(data, PurchaseCompleted)
            if self.all_broken or data.order_id in self.broken:
                raise BrokenError(data.order_id)
            if data.order_id in self.waiting:
                effects.outcomes[event.id] = Outcome("waiting", "told to wait")
                continue
            key = (event.tenant, data.customer_id or "")
            totals[key] = totals.get(key, 0) + data.total_minor
            effects.outgoing.append(event.follow(earned(data, event.id, totals[key]), "points.earned"))
        rows = sorted((*key, total) for key, total in totals.items())
        if rows:
            await tx.raw.execute(_ADD, *(list(column) for column in zip(*rows, strict=True)))
        return effects


def earned(data: PurchaseCompleted, cause: UUID, available: int) -> PointsEarned:
    return PointsEarned(
        occurred_at=data.occurred_at, customer_id=data.customer_id or "", entry_id=new_id(), cause_id=cause,
        points=data.total_minor, available=available, wallet_version=1,
    )  # fmt: skip


def bought(
    number: int, topic: str, *, customer: str = "", total: int = 100, order: str = "", caller_id: str = ""
) -> Record:
    """The record of a purchase of customer `number % 10`, unless told otherwise."""
    order = order or f"o-{number}"
    event = PurchaseCompleted(
        occurred_at=PAID_AT, order_id=order, customer_id=customer or f"c-{number % 10}", currency="EUR",
        total_minor=total, lines=(),
    )  # fmt: skip
    envelope = Envelope(
        id=event_id(TENANT, "event", caller_id or order), type=event.TYPE, version=1, tenant=TENANT, source="test",
        time=SystemClock().now(),
    )  # fmt: skip
    record = record_of(envelope, event)
    return Record(topic, record.key, record.value, record.headers)


async def prepare(database: Database, service: str) -> AsyncEngine:
    """The mechanism's tables and ours; returns an engine by the role that works with them."""
    owner = create_engine(database.owner, name="test-owner", pool_size=1)
    async with transaction(owner) as tx:
        statements: list[str] = []
        create_mechanism_v1(statements.append, f"treue_{service}")
        statements += [
            "CREATE TABLE paid (tenant text, customer_id text, total bigint, PRIMARY KEY (tenant, customer_id))",
            f"GRANT SELECT, INSERT, UPDATE ON paid TO treue_{service}",
        ]
        for statement in statements:
            await tx.raw.execute(statement)
    await owner.dispose()
    return create_engine(database.app, name="test-app", pool_size=10)
