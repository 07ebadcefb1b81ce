"""CloudEvents 1.0 in Kafka's binary mode: the attributes travel as headers, the value is the event's JSON."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from shared.events import registry
from shared.events.contract import Event

Headers = list[tuple[str, bytes]]

_FIXED: Headers = [("ce_specversion", b"1.0"), ("content-type", b"application/json")]
_NEEDED = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_dataschema", "ce_tenant")
_OURS = frozenset((*_NEEDED, "ce_correlationid", "traceparent", "ce_programmeversion"))


class EnvelopeError(ValueError):
    """A record's headers are not those of an event of ours."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an event besides its content.

    `time` is when the platform took it in. `programme_version` is the newest version of the tenant's programme that the
    gateway knew then: it makes the choice of a rule the same in every replay.
    """

    id: UUID
    type: str
    version: int
    tenant: str
    source: str
    time: datetime
    correlation_id: str = ""
    traceparent: str = ""
    programme_version: int = 0

    def headers(self) -> Headers:
        """The record's headers."""
        found: Headers = [
            ("ce_id", str(self.id).encode()),
            ("ce_type", self.type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_time", self.time.isoformat().encode()),
            ("ce_dataschema", f"urn:treue:event:{self.type}:{self.version}".encode()),
            ("ce_tenant", self.tenant.encode()),
            *_FIXED,
        ]
        optional = (
            ("ce_correlationid", self.correlation_id),
            ("traceparent", self.traceparent),
            ("ce_programmeversion", str(self.programme_version) if self.programme_version else ""),
        )
        return found + [(name, value.encode()) for name, value in optional if value]

    @classmethod
    def of(cls, headers: Iterable[tuple[str, bytes]]) -> "Envelope":
        """Read the headers of a record. Raises EnvelopeError when they are not complete."""
        found = {name: _text(value) for name, value in headers if value is not None and name in _OURS}
        try:
            return cls(
                id=UUID(found["ce_id"]),
                type=found["ce_type"],
                version=_count(found["ce_dataschema"].rpartition(":")[2]),
                tenant=found["ce_tenant"],
                source=found["ce_source"],
                time=_instant(found["ce_time"]),
                correlation_id=found.get("ce_correlationid", ""),
                traceparent=found.get("traceparent", ""),
                programme_version=_count(found.get("ce_programmeversion", "0")),
            )
        except (KeyError, ValueError, OverflowError) as error:
            raise EnvelopeError(f"not the headers of an event: {error!r}") from error


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\x00", "\ufffd")  # no database takes a NUL in a text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(f"{text[:20]!r} is not a version")
    return int(text)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return found.astimezone(UTC)


class Record(msgspec.Struct, frozen=True):
    """What is handed to Kafka."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


def key_of(tenant: str, event: Event) -> str:
    """`tenant:customer`, `tenant:order` for a guest, `tenant` for the tenant's own events."""
    return f"{tenant}:{event.key_suffix}" if event.key_suffix else tenant


def record_of(envelope: Envelope, event: Event) -> Record:
    """The record that carries this event."""
    return Record(
        event.TOPIC.value, key_of(envelope.tenant, event).encode(), registry.encode(event), envelope.headers()
    )


class Stamp:
    """The envelope that all events of one request share but for their ids: its headers are made once for each type, so
    that an event costs one header and not ten (1 us instead of 7)."""

    def __init__(self, envelope: Envelope) -> None:
        """`envelope` is that of any of them; its id, type and version do not matter."""
        self._envelope = envelope
        self._made: dict[type[Event], tuple[str, Headers]] = {}

    def record(self, event: Event, event_id: str) -> Record:
        """The record that carries this event under this id."""
        made = self._made.get(type(event))
        if made is None:
            envelope = msgspec.structs.replace(self._envelope, type=event.TYPE, version=event.VERSION)
            made = self._made[type(event)] = (event.TOPIC.value, envelope.headers()[1:])
        key = key_of(self._envelope.tenant, event).encode()
        return Record(made[0], key, registry.encode(event), [("ce_id", event_id.encode()), *made[1]])
