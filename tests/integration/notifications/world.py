"""One tenant's notifications on a real database: events go in by the consumer's own transaction, mails come out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifications.application.sending import Sender
from services.notifications.application.sweeping import Sweeper
from services.notifications.bootstrap import build_senders, build_stores, build_sweeper
from services.notifications.entrypoints.consumer import NotificationsApplication
from services.notifications.settings import NotificationsSettings
from shared.db.transaction import transaction
from shared.events.contract import Event
from shared.events.customers import Consent, ConsentStated, CustomerErased, CustomerUpdated
from shared.events.envelope import Envelope, record_of
from shared.events.feedback import FeedbackSubmitted
from shared.events.points import PointsClawedBack, PointsEarned
from shared.events.programmes import ProgrammeUpdated
from shared.ids import new_id
from shared.messaging import offsets
from shared.messaging.incoming import Incoming, RawRecord, read
from shared.messaging.offsets import Claim
from shared.messaging.outbox import unpack
from shared.messaging.posting import Posting
from tests.support.stack import Database

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def settings_for(database: Database, **changes: Any) -> NotificationsSettings:
    """Quick to try again, and without a limit of mails a second."""
    fields: dict[str, Any] = {
        "database_url": database.app, "migration_url": database.owner, "kafka_bootstrap": "unused:1",
        "internal_public_key": "unused", "smtp_host": "127.0.0.1", "smtp_port": 1,
        "sender_address": "points@treue.example", "mails_per_second": 0, "retry_delays_s": (0.05, 0.05),
        "lease_s": 60, "smtp_timeout_s": 5, "senders": 1,
    }  # fmt: skip
    return NotificationsSettings(**(fields | changes))


@dataclass
class World:
    """Events are taken in at NOW unless told otherwise."""

    engine: AsyncEngine
    admin_url: str
    settings: NotificationsSettings
    tenant: str = "shop"
    claims: dict[str, Claim] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.application = NotificationsApplication(build_stores())
        self.posting = Posting(self.engine, self.application, service="notifications")

    async def receive(self, *events: Event, ids: list[UUID] | None = None, taken_in_at: datetime = NOW) -> list[UUID]:
        """Apply these events, all of one topic, as one batch; returns their ids."""
        topic = events[0].TOPIC.value
        if topic not in self.claims:
            self.claims[topic] = await offsets.claim(self.engine, topic, 0, 0, "test", "test")
            self.positions[topic] = 0
        ids = ids or [new_id() for _ in events]
        first = self.positions[topic]
        items = [
            self.incoming(event, event_id, first + number, taken_in_at)
            for number, (event, event_id) in enumerate(zip(events, ids, strict=True))
        ]
        await self.posting.post(self.claims[topic], first, items)
        self.positions[topic] += len(items)
        return ids

    def incoming(self, event: Event, event_id: UUID, offset: int, taken_in_at: datetime = NOW) -> Incoming:
        envelope = Envelope(
            id=event_id, type=event.TYPE, version=1, tenant=self.tenant, source="test", time=taken_in_at,
            correlation_id="corr-1",
        )  # fmt: skip
        record = record_of(envelope, event)
        raw = RawRecord(record.topic, 0, offset, record.key, record.value, record.headers, NOW)
        found = read(raw, self.application.events.__contains__)
        assert isinstance(found, Incoming), found
        return found

    async def programme(self, version: int = 1, **changes: Any) -> None:
        await self.receive(programme(version, **changes))

    def sender(self, **changes: Any) -> Sender:
        return build_senders(self.settings.model_copy(update=changes), self.engine)[0]

    async def send_all(self, sender: Sender | None = None) -> int:
        """Send until nothing is due."""
        sender = sender or self.sender()
        stop, total = asyncio.Event(), 0
        while found := await sender.send_due(stop):
            total += found
        return total

    @property
    def sweeper(self) -> Sweeper:
        return build_sweeper(self.settings, self.engine)

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        async with transaction(self.engine) as tx:
            return [dict(row) for row in await tx.raw.fetch(query, *arguments)]

    async def messages(self, channel: str = "email") -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM message WHERE channel = $1 ORDER BY seq", channel)

    async def one(self, channel: str = "email") -> dict[str, Any]:
        (found,) = await self.messages(channel)
        return found

    async def published(self) -> list[tuple[str, dict[str, Any]]]:
        """What is in the outbox: (type, value), in order."""
        rows = await self.rows("SELECT records FROM outbox ORDER BY id")
        records = [record for row in rows for record in unpack(row["records"])]
        return [(dict(record.headers)["ce_type"].decode(), msgspec.json.decode(record.value)) for record in records]

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[asyncpg.Connection]:
        """The administrator's connection, in a transaction that is rolled back: for what no service may do."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute("SET search_path = notifications")
            transaction = connection.transaction()
            await transaction.start()
            yield connection
            await transaction.rollback()
        finally:
            await connection.close()


def programme(version: int = 1, **changes: Any) -> ProgrammeUpdated:
    fields: dict[str, Any] = {
        "occurred_at": NOW, "version": version, "effective_from": NOW, "name": "Café Müller", "currency": "EUR",
        "time_zone": "Europe/Berlin", "locale": "de-DE", "points_per_unit": "1", "rounding": "floor",
        "return_policy": "recompute",
    }  # fmt: skip
    return ProgrammeUpdated(**(fields | changes))


def customer(customer_id: str = "ada", *consents: tuple[str, str, bool], **changes: Any) -> CustomerUpdated:
    """A profile with an address; `consents` None unless some are given."""
    said = tuple(Consent(channel=c, purpose=p, granted=g) for c, p, g in consents) if consents else None  # type: ignore[arg-type]
    fields: dict[str, Any] = {
        "email": f"{customer_id}@example.org", "name": "Ada", "locale": "de-DE", "consents": said, "occurred_at": NOW,
    }  # fmt: skip
    return CustomerUpdated(customer_id=customer_id, **(fields | changes))


def erased(customer_id: str = "ada", at: datetime = NOW) -> CustomerErased:
    return CustomerErased(occurred_at=at, customer_id=customer_id)


def stated(
    purpose: str, granted: bool, customer_id: str = "ada", stated_by: str = "customer", at: datetime = NOW
) -> ConsentStated:
    fields: dict[str, Any] = {"channel": "email", "purpose": purpose, "granted": granted, "stated_by": stated_by}
    return ConsentStated(occurred_at=at, customer_id=customer_id, **fields)


def earned(customer_id: str = "ada", points: int = 25, **changes: Any) -> PointsEarned:
    fields: dict[str, Any] = {
        "occurred_at": NOW, "entry_id": new_id(), "cause_id": new_id(), "points": points, "available": points,
        "wallet_version": 1, "order_id": "A-1001",
    }  # fmt: skip
    return PointsEarned(customer_id=customer_id, **(fields | changes))


def clawed_back(customer_id: str = "ada", points: int = 10, **changes: Any) -> PointsClawedBack:
    fields: dict[str, Any] = {
        "occurred_at": NOW, "entry_id": new_id(), "cause_id": new_id(), "points": points, "available": 15,
        "wallet_version": 2, "order_id": "A-1001",
    }  # fmt: skip
    return PointsClawedBack(customer_id=customer_id, **(fields | changes))


def feedback(customer_id: str = "ada", kind: str = "nps", score: int = 9, **changes: Any) -> FeedbackSubmitted:
    fields: dict[str, Any] = {"occurred_at": NOW, "kind": kind, "score": score} | changes
    return FeedbackSubmitted(customer_id=customer_id, **fields)


def long_ago(days: int = 8) -> datetime:
    return NOW - timedelta(days=days)
