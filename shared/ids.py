"""The only place that makes identifiers.

Many of them are asyncpg's UUID: a `uuid.UUID` for whoever asks, made in C, at a tenth of what the standard library's
costs (0.1 us instead of 1.2 to read one; a worker makes some ten for every event).

Ids that we mint are uuid7, so that rows written together lie together in an index. Ids that must be the same when the
same thing comes again (a caller's retry, an event derived from another) are uuid5 of what makes them the same. Rows
that need both, such as ledger entries, get a uuid7 whose random part is a hash of their cause.
"""

from hashlib import blake2b
from typing import NewType
from uuid import UUID, uuid5

import uuid_utils
import uuid_utils.compat
from asyncpg.pgproto import pgproto

TenantId = NewType("TenantId", str)
CustomerId = NewType("CustomerId", str)
EventId = NewType("EventId", UUID)

# The root of all derived ids; it must never change: every stored event id depends on it.
_NAMESPACE = UUID("6b6f2f5e-2f0a-5d4c-9a51-0c6f0d7e7ec1")
_QUICK_NAMESPACE = uuid_utils.UUID(str(_NAMESPACE))


def new_id() -> UUID:
    """A fresh, time-ordered id (uuid7)."""
    return uuid_utils.compat.uuid7()


def event_id(tenant: str, source: str, key: str) -> EventId:
    """The id of the event that `source` calls `key` in this tenant: the same call gives the same event."""
    return EventId(uuid5(_NAMESPACE, f"{tenant}\n{source}\n{key}"))


def event_id_text(tenant: str, source: str, key: str) -> str:
    """The same as text, at a twentieth of the cost (0.5 us): intake writes ids down and never looks into them."""
    return str(uuid_utils.uuid5(_QUICK_NAMESPACE, f"{tenant}\n{source}\n{key}"))


def new_id_text() -> str:
    """A fresh id as text."""
    return str(uuid_utils.uuid7())


def read_id(text: str) -> UUID:
    """An id from its text. Raises ValueError."""
    found: UUID = pgproto.UUID(text)
    return found


def derived_id(cause: UUID, name: str) -> EventId:
    """The id of the event `name` that follows from the event `cause`; stable, so that re-emission is recognised."""
    return EventId(pgproto.UUID(uuid_utils.uuid5(uuid_utils.UUID(bytes=cause.bytes), name).bytes))


_RANDOM = (1 << 74) - 1
_RANDOM_B = (1 << 62) - 1


def ordered_id(milliseconds: int, cause: UUID, name: str) -> UUID:
    """The uuid7 of `name`, which follows from `cause`, at this time since the epoch; the same in every repetition."""
    bits = int.from_bytes(blake2b(cause.bytes + name.encode(), digest_size=10).digest(), "big") & _RANDOM
    whole = (milliseconds << 80) | (0x7 << 76) | ((bits >> 62) << 64) | (0b10 << 62) | (bits & _RANDOM_B)
    made: UUID = pgproto.UUID(whole.to_bytes(16, "big"))
    return made
