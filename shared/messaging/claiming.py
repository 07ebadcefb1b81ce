"""Claiming partitions, and the checks that each still is the log that we know.

What must never happen in silence: retention took events that were not applied; the topic was truncated, recreated, or
lives in another cluster. Each of these halts the partition, and goes on by itself when it is set right.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import transaction
from shared.events.contract import Topic
from shared.messaging import offsets
from shared.messaging.incoming import RawRecord
from shared.messaging.lane import HaltError, Lane
from shared.messaging.offsets import Claim
from shared.observability.logging import get_logger

_log = get_logger(__name__)
# The server ends who holds a transaction idly for 15 s (shared/db/engine.py), but not who stopped in the middle of a
# COPY: while it reads the rows it hears no timeout, only being told to end.
_SILENT_S = 15.0
_END_SILENT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
        AND state = 'active' AND wait_event = 'ClientRead'
        AND query_start < clock_timestamp() - make_interval(secs => $1)
"""
_COMPACTED = frozenset(topic.value for topic in Topic if topic.compacted)


@dataclass(slots=True)
class Claimed:
    """What is ours, and why the others are not: HaltError when a log is not the one that was applied so far, or what
    the database raised."""

    claims: dict[TopicPartition, Claim] = field(default_factory=dict)
    failures: dict[TopicPartition, Exception] = field(default_factory=dict)

    def by_failure(self) -> Iterable[tuple[Exception, list[TopicPartition]]]:
        """Those with the same failure together: a database that is away is told once, not once a partition."""
        same: dict[str, list[TopicPartition]] = {}
        for tp, failure in self.failures.items():
            same.setdefault(repr(failure), []).append(tp)
        return [(self.failures[tps[0]], tps) for tps in same.values()]


async def claim_partitions(
    consumer: AIOKafkaConsumer, engine: AsyncEngine, tps: Sequence[TopicPartition], cluster: str, owner: str
) -> Claimed:
    """Take these over and put the reader on the last applied record of each, whose fingerprint is checked when it
    comes, or on the first one. Raises KafkaError; IllegalStateError when the group has taken one of them away.

    All at once: a question to Kafka waits behind the fetch that is under way, which may take half a second. The end of
    a log is asked for after its claim, when nobody else can move the position beyond it any more.
    """
    firsts = await consumer.beginning_offsets(tps)
    answers = await asyncio.gather(
        *(offsets.claim(engine, tp.topic, tp.partition, firsts[tp], cluster, owner) for tp in tps),
        return_exceptions=True,
    )
    found = Claimed()
    for tp, answer in zip(tps, answers, strict=True):
        if isinstance(answer, Exception):
            found.failures[tp] = answer
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found.claims[tp] = answer
    if any(isinstance(failure, asyncpg.LockNotAvailableError) for failure in found.failures.values()):
        await _end_silent(engine)
    await _halt_strangers(engine, found, cluster, firsts, await consumer.end_offsets(list(found.claims)))
    for tp, claim in found.claims.items():
        known = claim.last_hash is not None and claim.next_offset > firsts[tp]
        consumer.seek(tp, claim.next_offset - 1 if known else max(firsts[tp], claim.next_offset))
    return found


async def _end_silent(engine: AsyncEngine) -> None:
    """End those sessions of ours whose worker stands still with a partition in its hands."""
    async with transaction(engine) as tx:
        ended = await tx.raw.fetch(_END_SILENT, _SILENT_S)
    if ended:
        _log.warning("silent_sessions_ended", count=len(ended))


async def _halt_strangers(
    engine: AsyncEngine,
    found: Claimed,
    cluster: str,
    firsts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> None:
    for tp, claim in list(found.claims.items()):
        problem = _problem(claim, cluster, firsts[tp], ends[tp])
        if problem:
            await offsets.note_halt(engine, claim, problem)
            found.failures[tp] = HaltError(problem)
            del found.claims[tp]


def _problem(claim: Claim, cluster: str, first: int, end: int) -> str | None:
    where = f"{claim.topic}/{claim.part} stands at {claim.next_offset}"
    if claim.cluster_id != cluster:
        return f"{where} of cluster {claim.cluster_id}, but this is cluster {cluster}"
    if claim.next_offset > end:
        return f"{where}, but the log ends at {end}: it was truncated or recreated"
    if claim.next_offset < first and claim.topic not in _COMPACTED:
        return f"{where}, but the log begins at {first}: retention took events that were never applied"
    return None


def verify_last(lane: Lane, records: Sequence[RawRecord]) -> None:
    """Compare the record in front of the position, where it was read again, with the one that was applied.

    Raises HaltError when they differ: the log was replaced by another of at least its length.
    """
    first = records[0]
    expected = lane.claim.last_hash
    if first.offset == lane.claim.next_offset - 1 and expected is not None and first.fingerprint != expected:
        raise HaltError(
            f"{first.topic}/{first.part}: offset {first.offset} holds another record than the one that was applied:"
            " the topic was recreated"
        )
