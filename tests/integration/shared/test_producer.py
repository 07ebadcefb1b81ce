"""The producer when Kafka hangs: a clear answer in time, no lost acknowledgement, recovery by itself."""

import asyncio
import time

import pytest

from shared.errors import UnavailableError
from shared.events.envelope import Record
from shared.messaging.producer import Producer
from tests.integration.shared.conftest import Spine
from tests.support.counting import bought
from tests.support.eventually import until
from tests.support.stack import Parts

_ALL = -1


async def test_a_frozen_broker_gives_an_answer_in_time_and_the_record_arrives_once_applied(
    spine: Spine, parts: Parts
) -> None:
    await spine.producer.send([bought(1, spine.topic)], deadline_s=5)
    with parts.frozen("kafka"):
        start = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            await spine.producer.send([bought(2, spine.topic)], deadline_s=1.5)
        assert time.monotonic() - start < 2
        assert caught.value.extra["outcome"] == "unknown"
        assert caught.value.retry_after_s

    async def again() -> bool:
        try:
            await spine.producer.send([bought(2, spine.topic)], deadline_s=2)
        except UnavailableError:
            return False
        return True

    await until(again, within_s=30)
    async with spine.running(spine.consumer()):
        await until(lambda: spine.value("SELECT count(*) = 2 FROM inbox"))
    assert await spine.value("SELECT sum(total) FROM paid") == 200


async def test_all_copies_are_asked_to_acknowledge(spine: Spine) -> None:
    """One broker answers alike to whoever waits for the leader alone, whatever `min.insync.replicas` says: so what the
    client at work asks for is looked at."""
    inner = spine.producer._producer
    assert inner is not None
    assert inner._sender._acks == _ALL
    assert inner._txn_manager is not None  # idempotent: it numbers its batches


async def test_records_that_wait_are_bounded(spine: Spine, parts: Parts) -> None:
    producer = Producer(spine.bootstrap, client_id="bounded", in_flight_max=10)
    await producer.start()
    await until(lambda: producer.ready)
    with parts.frozen("kafka"):
        for _ in range(2):
            with pytest.raises(UnavailableError):
                await producer.send([bought(n, spine.topic) for n in range(5)], deadline_s=0.2)
        start = time.monotonic()
        with pytest.raises(UnavailableError, match="wait for Kafka already"):
            await producer.send([bought(9, spine.topic)], deadline_s=5)
        assert time.monotonic() - start < 0.1
    await producer.stop()


async def test_a_producer_whose_sender_died_is_replaced(spine: Spine) -> None:
    inner = spine.producer._producer
    assert inner is not None
    inner._sender.sender_task.cancel()
    await until(lambda: not spine.producer.ready)
    with pytest.raises(UnavailableError):
        await spine.producer.send([bought(1, spine.topic)], deadline_s=1)
    await until(lambda: spine.producer.ready)
    await spine.producer.send([bought(1, spine.topic)], deadline_s=5)


async def test_a_producer_whose_reader_of_metadata_died_is_replaced(spine: Spine) -> None:
    """Its sender lives on, and would wait for ever for news of the brokers."""
    inner = spine.producer._producer
    assert inner is not None
    inner.client._sync_task.cancel()
    await until(lambda: not spine.producer.ready)
    with pytest.raises(UnavailableError):
        await spine.producer.send([bought(1, spine.topic)], deadline_s=1)
    await until(lambda: spine.producer.ready)
    await spine.producer.send([bought(1, spine.topic)], deadline_s=5)


async def test_a_producer_that_waits_for_something_else_than_kafka_is_replaced(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.producer._SILENCE_MAX_S", 1.0)
    await spine.producer.send([bought(1, spine.topic)], deadline_s=5)
    inner = spine.producer._producer
    assert inner is not None

    async def for_ever(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(inner.client, "send", for_ever)

    async def again() -> bool:
        try:
            await spine.producer.send([bought(2, spine.topic)], deadline_s=0.2)
        except UnavailableError:
            return False
        return True

    await until(again, within_s=15)
    assert spine.producer._producer is not inner
    assert spine.producer._in_flight == 0  # what the old one held counts no longer
    assert inner._sender.sender_task.done()


async def test_an_unreachable_broker_is_an_answer_too() -> None:
    producer = Producer("127.0.0.1:1", client_id="nowhere")
    await producer.start()
    assert not producer.ready
    with pytest.raises(UnavailableError):
        await producer.send([Record("t", b"k", b"v", [])], deadline_s=0.5)
    await producer.stop()


async def test_a_stopped_producer_connects_to_nothing_any_more(spine: Spine) -> None:
    await spine.producer.stop()
    with pytest.raises(UnavailableError):
        await spine.producer.send([bought(1, spine.topic)], deadline_s=1)
    assert spine.producer._building is not None
    assert spine.producer._building.done()
    assert not spine.producer.ready
