"""Claiming a partition, and the checks that it still is the log that we know.

What must never happen in silence: retention took events that were not applied; the topic was truncated, recreated, or
lives in another cluster. Each of these halts the partition, and goes on by itself when it is set right.
"""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.events.contract import Topic
from shared.messaging import offsets
from shared.messaging.incoming import RawRecord
from shared.messaging.lane import HaltError, Lane
from shared.messaging.offsets import Claim

_COMPACTED = frozenset(topic.value for topic in Topic if topic.compacted)


async def claim_partition(
    consumer: AIOKafkaConsumer, engine: AsyncEngine, tp: TopicPartition, cluster: str, owner: str
) -> Claim:
    """Take the partition over and put the reader on the last applied record, whose fingerprint is checked when it
    comes, or on the first one.

    Raises HaltError when the log is not the one that was applied so far.
    """
    first = (await consumer.beginning_offsets([tp]))[tp]
    end = (await consumer.end_offsets([tp]))[tp]
    claim = await offsets.claim(engine, tp.topic, tp.partition, first, cluster, owner)
    where = f"{tp.topic}/{tp.partition} stands at {claim.next_offset}"
    problem = None
    if claim.cluster_id != cluster:
        problem = f"{where} of cluster {claim.cluster_id}, but this is cluster {cluster}"
    elif claim.next_offset > end:
        problem = f"{where}, but the log ends at {end}: it was truncated or recreated"
    elif claim.next_offset < first and tp.topic not in _COMPACTED:
        problem = f"{where}, but the log begins at {first}: retention took events that were never applied"
    if problem:
        await offsets.note_halt(engine, claim, problem)
        raise HaltError(problem)
    known = claim.last_hash is not None and claim.next_offset > first
    consumer.seek(tp, claim.next_offset - 1 if known else max(first, claim.next_offset))
    return claim


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
