"""Records that were read in an older generation of the group belong to somebody else; a dead client is replaced."""

from operator import attrgetter
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.messaging.lane import Lane
from shared.messaging.offsets import Claim
from tests.integration.shared.conftest import Spine
from tests.support.counting import bought
from tests.support.eventually import until


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
    try:
        await consumer._feed(reader, [tp])
        assert not consumer._working, "a record of an unclaimed partition reached a lane"
    finally:
        await consumer._let_go()


@pytest.mark.parametrize("task", ["_fetcher._fetch_task", "_client._sync_task"])
async def test_a_client_one_of_whose_tasks_died_is_replaced(
    spine: Spine, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    """It ends with an exception that nobody asks for, when the loop closes a connection under its hands."""
    clients: list[AIOKafkaConsumer] = []

    def client(*topics: str, **settings: Any) -> AIOKafkaConsumer:
        clients.append(AIOKafkaConsumer(*topics, **settings))
        return clients[-1]

    monkeypatch.setattr("shared.messaging.clients.AIOKafkaConsumer", client)
    async with spine.running(spine.consumer()):
        await spine.producer.send([bought(n, spine.topic) for n in range(10)], deadline_s=10)
        await spine.reaches(10)
        attrgetter(task)(clients[0]).cancel()
        await until(lambda: len(clients) == 2)
        await spine.producer.send([bought(n, spine.topic) for n in range(10, 20)], deadline_s=10)
        await spine.reaches(20)
