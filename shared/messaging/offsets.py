"""consumer_offset: where each partition stands, and who may move it.

Offsets live beside the effects, in the same transaction; Kafka's own commit is for display. The epoch is the fence:
claiming a partition raises it, and a transaction that finds another epoch than its own touches nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import Transaction, transaction

_CLAIM_WAIT_S = 0.5
_CLAIM = """
    INSERT INTO consumer_offset (topic, part, first_offset, next_offset, epoch, cluster_id, owner)
    VALUES ($1, $2, $3, $3, 1, $4, $5)
    ON CONFLICT (topic, part) DO UPDATE SET epoch = consumer_offset.epoch + 1, owner = excluded.owner
    RETURNING next_offset, epoch, cluster_id, last_hash, consecutive_dead
"""
_LOCK = "SELECT next_offset, epoch, last_hash FROM consumer_offset WHERE topic = $1 AND part = $2 FOR UPDATE"
_MOVE = """
    UPDATE consumer_offset SET next_offset = $3, last_hash = $4, last_record_at = $5, halted = NULL,
        duplicates = duplicates + $6, conflicts = conflicts + $7, ignored = ignored + $8, gaps = gaps + $9,
        consecutive_dead = CASE WHEN $10 THEN consecutive_dead + 1 WHEN $11 THEN 0 ELSE consecutive_dead END
    WHERE topic = $1 AND part = $2
"""
_HALT = "UPDATE consumer_offset SET halted = $3 WHERE topic = $1 AND part = $2 AND epoch = $4"
_CAUGHT_UP = """
    UPDATE consumer_offset AS o SET caught_up_at = clock_timestamp() - make_interval(secs => $4), halted = NULL
    FROM unnest($1::text[], $2::smallint[], $3::bigint[]) AS ours (topic, part, epoch)
    WHERE o.topic = ours.topic AND o.part = ours.part AND o.epoch = ours.epoch
"""

_GONE = """
    SELECT topic, part FROM unnest($1::text[], $2::smallint[]) AS ours (topic, part)
    EXCEPT SELECT topic, part FROM consumer_offset
"""


class FencedError(Exception):
    """Somebody else owns the partition now: forget it, and everything read from it."""


class AlreadyAppliedError(Exception):
    """The batch was committed before, and only the answer to our COMMIT was lost."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a partition, as long as nobody claims it after us."""

    topic: str
    part: int
    next_offset: int
    epoch: int
    cluster_id: str
    last_hash: bytes | None
    consecutive_dead: int


@dataclass(frozen=True, slots=True)
class Passed:
    """How many records a batch passed without leaving a row of their own: what the auditor needs to count offsets."""

    duplicates: int = 0
    conflicts: int = 0
    ignored: int = 0
    gaps: int = 0
    dead: bool = False
    applied: bool = False  # something had its effect: the row of dead letters is broken


async def claim(engine: AsyncEngine, topic: str, part: int, first: int, cluster_id: str, owner: str) -> Claim:
    """Take a partition over. Waits for a transaction of the previous owner, which is fenced from then on.

    Raises asyncpg.LockNotAvailableError after half a second: the worker's other partitions wait meanwhile, and an owner
    that stands still holds the row for long."""
    async with transaction(engine, lock_timeout_s=_CLAIM_WAIT_S) as tx:
        row = await tx.raw.fetchrow(_CLAIM, topic, part, first, cluster_id, owner)
    return Claim(topic, part, *row)


async def lock(tx: Transaction, claim_: Claim, position: int, last: int, fingerprint: bytes) -> None:
    """Lock the partition's row for this transaction, first of all locks. `fingerprint` is that of the record `last`.

    Raises FencedError when the partition has another owner or was moved by hand (it is claimed and checked anew then),
    AlreadyAppliedError when just this was committed before.
    """
    row = await tx.raw.fetchrow(_LOCK, claim_.topic, claim_.part)
    if row is None or row["epoch"] != claim_.epoch:
        raise FencedError(f"{claim_.topic}/{claim_.part}: claimed by another worker")
    if row["next_offset"] == last + 1 and row["last_hash"] == fingerprint:
        raise AlreadyAppliedError
    if row["next_offset"] != position:
        raise FencedError(f"{claim_.topic}/{claim_.part}: stands at {row['next_offset']}, not at {position}")


async def move(
    tx: Transaction, claim_: Claim, next_offset: int, fingerprint: bytes, record_at: object, passed: Passed
) -> None:
    """Move the locked partition forward: the last statement of a batch."""
    await tx.raw.execute(
        _MOVE, claim_.topic, claim_.part, next_offset, fingerprint, record_at,
        passed.duplicates, passed.conflicts, passed.ignored, passed.gaps, passed.dead,
        passed.applied,
    )  # fmt: skip


async def note_halt(engine: AsyncEngine, claim_: Claim, reason: str) -> None:
    """Write down why a partition stands still, for whoever asks."""
    async with transaction(engine) as tx:
        await tx.raw.execute(_HALT, claim_.topic, claim_.part, reason, claim_.epoch)


async def note_caught_up(engine: AsyncEngine, claims: Sequence[Claim], ago_s: float = 0.0) -> set[tuple[str, int]]:
    """Write down that there was nothing left to do on these partitions so long ago; so none of them stands still.
    Returns those, by topic and partition, whose position somebody has deleted."""
    topics, parts, epochs = zip(*((c.topic, c.part, c.epoch) for c in claims), strict=True)
    async with transaction(engine) as tx:
        await tx.raw.execute(_CAUGHT_UP, topics, parts, epochs, ago_s)
        return {(row["topic"], row["part"]) for row in await tx.raw.fetch(_GONE, topics, parts)}
