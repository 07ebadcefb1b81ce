"""Lanes: who shares a batch, when a caller hears of it, and what a failure leaves behind."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.events.envelope import Record
from shared.messaging.batching import Batching, key_hash
from tests.support.eventually import until


class FakeProducer:
    """Takes batches and answers when it is told to."""

    def __init__(self, batch_bytes: int = 10_000) -> None:
        self._batch_bytes = batch_bytes
        self.sent: list[tuple[int, int, asyncio.Future[None]]] = []

    async def partitions_for(self, _topic: str) -> set[int]:
        return {0, 1}

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self._batch_bytes, 0)

    async def send_batch(self, batch: BatchBuilder, _topic: str, *, partition: int) -> "asyncio.Future[None]":
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent.append((partition, batch.record_count(), answer))
        return answer


class Callers:
    """Callers of one Batching, and what it told."""

    def __init__(self, producer: FakeProducer) -> None:
        self.producer = producer
        self.arrived: list[tuple[str, int]] = []
        self.settled: list[Exception | None] = []
        untyped: Any = producer
        self._batching = Batching(untyped, 0.005, lambda *told: self.arrived.append(told))

    def send(self, *records: Record) -> "asyncio.Future[None]":
        return self._batching.send(records, self.settled.append)

    async def departed(self, count: int) -> None:
        await until(lambda: len(self.producer.sent) >= count, within_s=2)


KEYS = {key_hash(f"k{n}".encode()) % 2: f"k{n}".encode() for n in range(10)}


def record(partition: int = 0, size: int = 10) -> Record:
    return Record("t", KEYS[partition], b"x" * size, [])


async def test_callers_with_one_record_each_share_a_batch() -> None:
    callers = Callers(FakeProducer())
    acknowledged = [callers.send(record()) for _ in range(5)]
    await callers.departed(1)
    assert [(part, count) for part, count, _ in callers.producer.sent] == [(0, 5)]
    assert not any(each.done() for each in acknowledged)
    callers.producer.sent[0][2].set_result(None)
    await asyncio.gather(*acknowledged)
    assert callers.arrived == [("t", 5)]
    assert callers.settled == [None] * 5


async def test_what_comes_meanwhile_goes_after_the_batch_that_is_on_its_way() -> None:
    callers = Callers(FakeProducer())
    first = callers.send(record())
    await callers.departed(1)
    later = [callers.send(record()), callers.send(*[record()] * 9)]
    await asyncio.sleep(0.02)
    assert len(callers.producer.sent) == 1
    callers.producer.sent[0][2].set_result(None)
    await first
    await callers.departed(2)
    assert callers.producer.sent[1][1] == 10
    callers.producer.sent[1][2].set_result(None)
    await asyncio.gather(*later)


async def test_a_caller_waits_for_all_its_parts_and_hears_of_the_one_that_failed() -> None:
    callers = Callers(FakeProducer())
    acknowledged = callers.send(*[record(0)] * 8, *[record(1)] * 8)
    await callers.departed(2)
    callers.producer.sent[0][2].set_exception(KafkaError("no"))
    await asyncio.sleep(0.01)
    assert not callers.settled
    callers.producer.sent[1][2].set_result(None)
    with pytest.raises(KafkaError):
        await acknowledged
    assert len(callers.settled) == 1


async def test_what_no_batch_holds_together_is_one_delivery_in_several_batches() -> None:
    callers = Callers(FakeProducer(batch_bytes=1_000))
    acknowledged = callers.send(*[record(size=400)] * 5)
    for number in range(3):
        await callers.departed(number + 1)
        assert not acknowledged.done()
        callers.producer.sent[number][2].set_result(None)
    await acknowledged
    assert [count for _, count, _ in callers.producer.sent] == [2, 2, 1]
    assert callers.settled == [None]


async def test_a_cancellation_that_escapes_from_the_client_is_an_answer_and_leaves_the_lane_usable() -> None:
    callers = Callers(FakeProducer())
    acknowledged = callers.send(record())
    await callers.departed(1)
    callers.producer.sent[0][2].cancel()
    with pytest.raises(ProducerClosed):
        await acknowledged
    again = callers.send(record())
    await callers.departed(2)
    callers.producer.sent[1][2].set_result(None)
    await again


async def test_a_record_that_cannot_be_written_fails_its_batch_and_leaves_the_lane_usable() -> None:
    callers = Callers(FakeProducer())
    unwritable: Any = [("name", 5)]
    before, broken = callers.send(record()), callers.send(Record("t", KEYS[0], b"x", unwritable))
    with pytest.raises(TypeError):
        await asyncio.wait_for(broken, 2)
    with pytest.raises(TypeError):
        await before
    again = callers.send(record())
    await callers.departed(1)
    callers.producer.sent[0][2].set_result(None)
    await again
    assert [error is None for error in callers.settled] == [False, False, True]


async def test_a_caller_who_gave_up_is_settled_all_the_same() -> None:
    callers = Callers(FakeProducer())
    acknowledged = callers.send(record())
    await callers.departed(1)
    acknowledged.cancel()
    callers.producer.sent[0][2].set_result(None)
    await asyncio.sleep(0.01)
    assert callers.settled == [None]
