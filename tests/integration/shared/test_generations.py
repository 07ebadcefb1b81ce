"""Records that were read in an older generation of the group belong to somebody else."""

from typing import Any

from aiokafka import TopicPartition

from shared.messaging.lane import Lane
from shared.messaging.offsets import Claim
from tests.integration.shared.conftest import Spine


class _Reader:
    """A Kafka client whose rebalance happens just while it reads."""

    def __init__(self, turn: Any, record: object) -> None:
        self._turn, self._record = turn, record

    async def getmany(self, *partitions: TopicPartition, **_: Any) -> dict[TopicPartition, list[object]]:
        self._turn()
        return {tp: [self._record] for tp in partitions}

    def highwater(self, _: TopicPartition) -> int:
        return 0


async def test_what_was_read_before_a_rebalance_is_dropped(spine: Spine) -> None:
    consumer = spine.consumer()
    tp = TopicPartition(spine.topic, 0)
    membership = consumer._membership
    membership.on_partitions_assigned([tp])
    consumer._generation = membership.generation
    consumer._lanes[tp] = Lane(Claim(spine.topic, 0, 0, 1, "", None, 0), consumer._posting, service="test")
    reader = _Reader(lambda: membership.on_partitions_assigned([tp]), object())
    await consumer._feed(reader, [tp])
    assert not consumer._working, "a record of an unclaimed partition reached a lane"
