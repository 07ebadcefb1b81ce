"""The inbox: an event has its effect once per (tenant, event id), for ever. The same id with another body is a
conflict: never applied, kept, and shown to whoever asks for the event."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from shared.db import columns
from shared.db.transaction import Transaction
from shared.messaging.incoming import Effects, Incoming, RawRecord

# Each by its key, whatever the planner thinks of the table: a plan from when it was empty reads all of it for hours.
_KNOWN = """
    SELECT i.* FROM unnest($1::text::uuid[], $2::text::text[]) AS asked (event_id, tenant) CROSS JOIN LATERAL (
        SELECT i.tenant, i.event_id, i.body_hash, i.topic, i.part, i.off FROM inbox i
        WHERE (i.event_id, i.tenant) = (asked.event_id, asked.tenant) OFFSET 0
    ) AS i
"""
_Place = tuple[str, int, int]
_encode = msgspec.json.Encoder(enc_hook=str).encode
_INBOX = ("event_id", "tenant", "body_hash", "outcome", "reason", "effects", "topic", "part", "off", "applied_at")
_CONFLICT = """
    INSERT INTO conflict (tenant, event_id, body_hash, topic, part, off, received_at)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::text[], $5::smallint[], $6::bigint[],
        $7::timestamptz[])
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch seen against the inbox, each list in offset order.

    `reread` are the very records that were applied before: their position was lost or set back. Unlike a duplicate,
    which is another record, such a one has left its trace already.
    """

    fresh: list[Incoming]
    duplicates: list[Incoming]
    conflicts: list[Incoming]
    reread: list[Incoming] = field(default_factory=list)


async def sort(tx: Transaction, events: Sequence[Incoming]) -> Sorted:
    """Tell apart what is new, what was here before, and what comes again with another body."""
    asked = [(event.id, event.tenant) for event in events]
    rows = await tx.raw.fetch(_KNOWN, *columns.of(asked, columns.ids, columns.texts)) if asked else ()
    seen: dict[tuple[UUID, str], tuple[bytes, _Place]] = {
        (row["event_id"], row["tenant"]): (row["body_hash"], (row["topic"], row["part"], row["off"])) for row in rows
    }
    found = Sorted([], [], [])
    for event in events:
        body_hash, place = seen.get((event.id, event.tenant), (None, None))
        if body_hash is None:
            seen[event.id, event.tenant] = event.body_hash, _place(event.raw)
            found.fresh.append(event)
        elif body_hash != event.body_hash:
            found.conflicts.append(event)
        else:
            (found.reread if place == _place(event.raw) else found.duplicates).append(event)
    return found


async def record(tx: Transaction, events: Sequence[Incoming], effects: Effects) -> None:
    """Remember these events and what became of them.

    Raises UniqueViolationError when another partition brought the same event meanwhile: the batch is then done again
    and finds it in the inbox.
    """
    rows = []
    for event in sorted(events, key=lambda each: (each.id.int, each.tenant)):
        outcome = effects.of(event.id)
        shown = _encode(outcome.effects).decode() if outcome.effects else None
        raw = event.raw
        rows.append(
            (event.id, event.tenant, event.body_hash, outcome.status, outcome.reason, shown, *_place(raw), tx.now)
        )
    if rows:
        await tx.raw.copy_records_to_table("inbox", records=rows, columns=_INBOX)


def _place(raw: RawRecord) -> _Place:
    return raw.topic, raw.part, raw.offset


async def record_conflicts(tx: Transaction, events: Sequence[Incoming]) -> None:
    """Keep what came again with another body."""
    if not events:
        return
    await tx.raw.execute(
        _CONFLICT,
        [event.tenant for event in events],
        [event.id for event in events],
        [event.body_hash for event in events],
        [event.raw.topic for event in events],
        [event.raw.part for event in events],
        [event.raw.offset for event in events],
        [event.envelope.time for event in events],
    )
