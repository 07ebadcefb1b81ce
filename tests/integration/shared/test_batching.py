"""Many records at once: all arrive, each key in its order, with many callers and with large records."""

import asyncio
from collections import defaultdict

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.errors import UnavailableError
from shared.events.envelope import Record
from tests.integration.shared.conftest import Spine
from tests.support.eventually import until


async def read_all(spine: Spine, count: int) -> list[tuple[int, bytes, bytes]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=spine.bootstrap, max_partition_fetch_bytes=4 << 20)
    await consumer.start()
    found: list[tuple[int, bytes, bytes]] = []
    try:
        partitions = [TopicPartition(spine.topic, number) for number in range(3)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)

        async def there() -> bool:
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                found.extend((tp.partition, record.key, record.value) for record in records)
            return len(found) >= count

        await until(there, within_s=20)
    finally:
        await consumer.stop()
    return found


async def test_callers_side_by_side_and_one_after_the_other(spine: Spine) -> None:
    async def caller(name: int) -> None:
        for turn in range(5):
            numbers = range(turn * 40, turn * 40 + 40)
            records = [Record(spine.topic, f"{name}-{n % 3}".encode(), str(n).encode(), []) for n in numbers]
            await spine.producer.send(records, deadline_s=10)

    await asyncio.gather(*(caller(name) for name in range(8)))
    found = await read_all(spine, 8 * 200)
    assert len(found) == 8 * 200
    by_key: defaultdict[bytes, list[int]] = defaultdict(list)
    places: defaultdict[bytes, set[int]] = defaultdict(set)
    for part, key, value in found:
        by_key[key].append(int(value))
        places[key].add(part)
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert all(len(parts) == 1 for parts in places.values())


async def test_single_records_and_batches_share_the_partition_of_a_key(spine: Spine) -> None:
    keys = [f"k-{n}".encode() for n in range(20)]
    await spine.producer.send([Record(spine.topic, key, b"many", []) for key in keys], deadline_s=10)
    for key in keys:
        await spine.producer.send([Record(spine.topic, key, b"one", [])], deadline_s=10)
    places: defaultdict[bytes, set[int]] = defaultdict(set)
    for part, key, _ in await read_all(spine, 40):
        places[key].add(part)
    assert all(len(parts) == 1 for parts in places.values())


async def test_more_than_one_batch_holds(spine: Spine) -> None:
    records = [Record(spine.topic, b"k", str(n).encode() + b" " * 30_000, []) for n in range(50)]
    await spine.producer.send(records, deadline_s=10)
    assert [int(value.strip()) for _, _, value in await read_all(spine, 50)] == list(range(50))


async def test_a_record_that_no_batch_holds_is_an_answer(spine: Spine) -> None:
    records = [Record(spine.topic, b"k", b"x" * 2_000_000, []) for _ in range(10)]
    with pytest.raises(UnavailableError):
        await spine.producer.send(records, deadline_s=5)
    await until(lambda: spine.producer.ready)
    await spine.producer.send([Record(spine.topic, b"k", b"1", [])] * 10, deadline_s=10)
