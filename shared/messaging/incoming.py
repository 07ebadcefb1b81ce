"""A record on its way in, and what a service answers to it.

What every event makes is a struct, at a tenth of a frozen dataclass (0.07 us instead of 0.7 for seven fields).
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol
from uuid import UUID

import msgspec

from shared.db.transaction import Transaction
from shared.events import registry
from shared.events.contract import Event
from shared.events.envelope import Envelope, EnvelopeError, Headers, Record, following, key_of
from shared.ids import derived_id

_NO_TIME = datetime.fromtimestamp(0, UTC)


class RawRecord(msgspec.Struct, frozen=True):
    """A record as Kafka holds it."""

    topic: str
    part: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: datetime

    @property
    def fingerprint(self) -> bytes:
        """Tells whether the record at this offset is still the one that was applied."""
        return hashlib.blake2b((self.key or b"") + (self.value or b""), digest_size=16).digest()


class Incoming(msgspec.Struct, frozen=True):
    """An event that was read well. `id` and `tenant` are the envelope's: asked for some thirty times."""

    raw: RawRecord
    envelope: Envelope
    event: Event
    key: str
    body_hash: bytes
    id: UUID
    tenant: str

    def follow(self, event: Event, name: str) -> Record:
        """The record of an event that this one causes. `name` tells the consequences of one event apart; the id that
        it gives is the same in every repetition, and so is its time: when the platform took the cause in."""
        own = "" if self.envelope.correlation_id else str(self.id)
        return following(event, derived_id(self.id, name), self.raw.headers, own, self.tenant)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is no event of ours, and why."""

    raw: RawRecord
    error: str
    detail: str


class Foreign(msgspec.Struct, frozen=True):
    """An event that this service does not listen to."""

    raw: RawRecord


Item = Incoming | Unreadable | Foreign


class Outcome(msgspec.Struct, frozen=True):
    """What became of an event: applied, rejected by a rule of the business (with the reason), or waiting for something
    that is not known yet (it is parked and tried again). `effects` are shown to whoever asks for the event."""

    status: Literal["applied", "rejected", "waiting"] = "applied"
    reason: str | None = None
    effects: tuple[Mapping[str, Any], ...] = ()


APPLIED = Outcome()


@dataclass(slots=True)
class Effects:
    """What a service did with a batch. An event without an outcome was applied and had nothing to show."""

    outcomes: dict[UUID, Outcome] = field(default_factory=dict)
    outgoing: list[Record] = field(default_factory=list)

    def of(self, event_id: UUID) -> Outcome:
        return self.outcomes.get(event_id, APPLIED)


class Application(Protocol):
    """What a service gives to the consumer."""

    topics: Sequence[str]
    events: Mapping[str, type[Event]]  # by wire type: what it listens to; the rest of a topic is passed by

    def blocks(self, event: Event) -> bool:
        """Whether later events of the same key must wait when this one becomes a dead letter."""
        ...

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        """Have the events' effects, in this order, inside the open transaction; called again after a rollback.

        Who answers "waiting" for an event must answer it for all later events of its key in the batch as well.
        """
        ...


def read(raw: RawRecord, listens: Callable[[str], bool]) -> Item:
    """Read a record. Never raises: what cannot be read is an answer too."""
    try:
        envelope = Envelope.of(raw.headers)
        if raw.value is None or not listens(envelope.type):
            return Foreign(raw)  # without a value it is a tombstone: compaction's own record
        event = registry.decode(envelope.type, envelope.version, raw.value)
    except EnvelopeError as error:
        return Unreadable(raw, "envelope", str(error))
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Unreadable(raw, "unknown_version" if isinstance(error, KeyError) else "unreadable_body", str(error))
    key = (raw.key or b"").decode("utf-8", "replace")
    if key != key_of(envelope.tenant, event):
        return Unreadable(raw, "wrong_key", f"key {key!r}, wanted {key_of(envelope.tenant, event)!r}")
    body_hash = hashlib.blake2b(raw.value, digest_size=16).digest()
    return Incoming(raw, envelope, event, key, body_hash, envelope.id, envelope.tenant)


def headers_json(headers: Headers) -> str:
    """Headers as JSON for a database; bytes that are no text, and NUL, are kept by their escapes."""
    texts = [(name, (value or b"").decode("utf-8", "backslashreplace")) for name, value in headers]
    return json.dumps([[text.replace("\x00", "\\x00") for text in pair] for pair in texts])


def headers_of(stored: Sequence[tuple[str, str]]) -> Headers:
    """The reverse of `headers_json`, as the database gives it back."""
    return [(name, value.encode()) for name, value in stored]


def raw_record(record: Any) -> RawRecord:
    """A record of aiokafka's as ours."""
    try:
        time = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # whoever writes to Kafka may say any 64 bits
        time = _NO_TIME
    return RawRecord(
        record.topic, record.partition, record.offset, record.key, record.value, list(record.headers), time
    )  # fmt: skip
