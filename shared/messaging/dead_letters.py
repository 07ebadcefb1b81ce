"""Dead letters: what could not be applied is kept whole, in the transaction that passes it, and told to a topic.

Limits: twenty in a row on one partition stop it, and so do fifty open ones among its last thousand offsets, for a bad
release seldom fails for all. It must stop a consumer, not drain a topic into here. An event that has its effect begins
the row of twenty anew, and so does an operator who retries or discards a letter of the partition (deploy/letters.py).
"""

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.db import columns
from shared.db.transaction import Transaction
from shared.events.contract import Topic
from shared.events.envelope import Record
from shared.ids import new_id
from shared.messaging.incoming import Incoming, RawRecord, Unreadable, headers_json

CONSECUTIVE_MAX = 20
_TOLD_MAX = 512 * 1024  # bytes of a value that the topic is told; the table keeps the whole
OPEN_MAX, AMONG_LAST = 50, 1_000

_INSERT = """
    INSERT INTO dead_letter (id, tenant, event_id, topic, part, off, record_key, value, headers, record_time,
        error, detail, code_version, blocks_key, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11, $12, $13, $14, $15)
    ON CONFLICT ON CONSTRAINT uq_dead_letter_position DO NOTHING
"""
# Letters that were no events at all are their sender's fault, not the release's. A parked event has later ones too.
_OPEN_AROUND = """
    SELECT count(*) FROM dead_letter
    WHERE (topic, part) = ($1, $2) AND off BETWEEN $3 AND $4 AND state = 'open' AND event_id IS NOT NULL
"""
_AGAIN = """
    UPDATE dead_letter SET state = 'open', resolved_at = NULL, error = $4, detail = $5, code_version = $6
    WHERE (topic, part, off) = ($1, $2, $3) AND state = 'retried' RETURNING true
"""
_APPLIED = """
    UPDATE dead_letter d SET state = 'retried', resolved_at = clock_timestamp()
    FROM unnest($1::text[], $2::smallint[], $3::bigint[]) AS a (topic, part, off)
    WHERE (d.topic, d.part, d.off) = (a.topic, a.part, a.off) AND d.state <> 'retried'
"""
_IN_THE_WAY = """
    SELECT off, NULL AS record_key FROM dead_letter
    WHERE (topic, part) = ($1, $2) AND off BETWEEN $3 AND $4 AND state <> 'retried'
    UNION ALL SELECT NULL, record_key FROM dead_letter
    WHERE record_key = any($5::text::text[]) AND state = 'open' AND blocks_key
    UNION ALL SELECT NULL, record_key FROM parked_event WHERE record_key = any($5::text::text[])
"""


class TooManyError(Exception):
    """The limit is reached: this event must not be buried too."""


def code_version() -> str:
    """Which release met the event: set by the image, `local` otherwise."""
    return os.environ.get("TREUE_VERSION", "local")


def printable(key: bytes | None) -> str:
    """A record's key as text that a database takes."""
    return (key or b"").decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _printed(detail: str) -> str:
    return detail.replace("\x00", "\\x00")[:2000]


class InTheWay(NamedTuple):
    """Why some records of a batch are not applied now: the offsets of those that are letters, open or given up, and the
    keys that have an event in front which could not be applied yet."""

    letters: set[int]
    blocked: set[str]


async def in_the_way(tx: Transaction, first: RawRecord, last: RawRecord, keys: Iterable[str]) -> InTheWay:
    """Of the records from `first` to `last`, and of these keys."""
    rows = await tx.raw.fetch(
        _IN_THE_WAY, first.topic, first.part, first.offset, last.offset, columns.texts(list(set(keys)))
    )
    found = InTheWay(set(), set())
    for offset, key in rows:
        if key is None:
            found.letters.add(offset)
        else:
            found.blocked.add(key)
    return found


async def bury_unreadable(tx: Transaction, records: Iterable[Unreadable]) -> list[Record]:
    """Keep records that are no events; they block nothing. Returns what to tell the dead-letter topic."""
    return [await _bury(tx, each.raw, "", None, each.error, each.detail, blocks=False) for each in records]


async def bury(tx: Transaction, event: Incoming, error: BaseException, *, blocks: bool) -> Record:
    """Keep an event that its handler refuses for good. Raises TooManyError."""
    raw = event.raw
    found = await tx.raw.fetchval(_OPEN_AROUND, raw.topic, raw.part, raw.offset - AMONG_LAST, raw.offset + AMONG_LAST)
    if found >= OPEN_MAX:
        told = f"{type(error).__name__}: {error}"
        raise TooManyError(f"{found} open dead letters among {AMONG_LAST} offsets, and one more for {told}") from error
    return await _bury(tx, event.raw, event.tenant, event, type(error).__name__, str(error), blocks=blocks)


async def _bury(
    tx: Transaction, raw: RawRecord, tenant: str, event: Incoming | None, error: str, detail: str, *, blocks: bool
) -> Record:
    await tx.raw.execute(
        _INSERT, new_id(), tenant, event.id if event else None, raw.topic, raw.part, raw.offset, printable(raw.key),
        raw.value, headers_json(raw.headers), raw.timestamp, error, _printed(detail),
        code_version(), blocks, tx.now,
    )  # fmt: skip
    told = [("error", error.encode()), ("origin", f"{raw.topic}/{raw.part}/{raw.offset}".encode())]
    value = raw.value or b""
    if len(value) > _TOLD_MAX:  # with our headers it would be more than Kafka takes
        value, told = b"", [*told, ("omitted-bytes", str(len(value)).encode())]
    return Record(Topic.DEAD_LETTERS.value, raw.key or b"", value, [*raw.headers, *told])


async def bury_again(tx: Transaction, raw: RawRecord, error: str, detail: str) -> bool:
    """Open the letter of a retried record that is no better than before, with its newest reason. False when it has no
    such letter."""
    place = raw.topic, raw.part, raw.offset
    return bool(await tx.raw.fetchval(_AGAIN, *place, error, _printed(detail), code_version()))


async def close_applied(tx: Transaction, records: Sequence[RawRecord]) -> None:
    """Close the letters, open or given up, of records that had their effect after all."""
    if records:
        places = [(raw.topic, raw.part, raw.offset) for raw in records]
        await tx.raw.execute(_APPLIED, *(list(column) for column in zip(*places, strict=True)))
