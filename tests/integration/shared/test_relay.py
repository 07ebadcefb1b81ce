"""The outbox and its relay on the real servers: nothing lost, in order per key, whatever dies in between."""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.db.transaction import transaction
from shared.events.envelope import Record
from shared.messaging import outbox
from shared.messaging.producer import Producer
from shared.messaging.relay import BUCKETS_AT_ONCE, Relay
from tests.integration.shared.conftest import Spine
from tests.integration.shared.test_consumer import kill_sessions
from tests.support.eventually import until


async def _append(spine: Spine, key: str, numbers: range) -> None:
    records = [Record(spine.topic, key.encode(), str(n).encode(), []) for n in numbers]
    while True:
        try:
            async with transaction(spine.engine) as tx:
                await tx.raw.execute("SELECT pg_advisory_xact_lock(hashtext($1))", key)
                await outbox.append(tx, records)
        except Exception:
            await asyncio.sleep(0.05)
            continue
        return


async def _published(spine: Spine) -> dict[str, list[int]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=spine.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(spine.topic, part) for part in range(3)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: defaultdict[str, list[int]] = defaultdict(list)
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    found[record.key.decode()].append(int(record.value))
        return found
    finally:
        await consumer.stop()


@contextlib.asynccontextmanager
async def _relays(spine: Spine, count: int):
    stop = asyncio.Event()
    tasks = [asyncio.create_task(Relay(spine.engine, spine.producer, service="test").run(stop)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _drained(spine: Spine) -> bool:
    with contextlib.suppress(Exception):
        return int(await spine.value("SELECT count(*) FROM outbox")) == 0
    return False


async def test_what_is_committed_is_published_and_what_is_rolled_back_is_not(spine: Spine) -> None:
    await _append(spine, "k", range(10))
    with contextlib.suppress(RuntimeError):
        async with transaction(spine.engine) as tx:
            await outbox.append(tx, [Record(spine.topic, b"k", b"99", [])])
            raise RuntimeError("the handler failed")
    async with _relays(spine, 1):
        await until(lambda: _drained(spine))
    assert await _published(spine) == {"k": list(range(10))}


async def test_a_header_without_a_value_is_published_as_it_came(spine: Spine) -> None:
    """Kafka allows it, so a foreign record may have one, and its dead letter with it."""
    async with transaction(spine.engine) as tx:
        await outbox.append(tx, [Record(spine.topic, b"k", b"1", [("theirs", None)])])  # type: ignore[list-item]
    async with _relays(spine, 1):
        await until(lambda: _drained(spine))
    assert await _published(spine) == {"k": [1]}


async def test_a_row_that_cannot_be_published_holds_up_no_other_bucket(spine: Spine) -> None:
    async with transaction(spine.engine) as tx:
        await tx.raw.execute("INSERT INTO outbox (bucket, records, record_count, created_at) VALUES (0, 'x', 1, now())")
    keys = next([one, two] for one in "abcdefgh" for two in "stuvwxyz" if 0 not in map(_bucket, (one, two)))
    for key in keys:
        await _append(spine, key, range(3))

    async def only_the_bad_one() -> bool:
        return [row[0] for row in await spine.fetch("SELECT bucket FROM outbox")] == [0]

    async with _relays(spine, 1):
        await until(only_the_bad_one)
    assert await _published(spine) == {key: [0, 1, 2] for key in keys}


class Slow:
    """A producer whose sends take long, as they do in an event loop with lanes at work; `most` were under way at
    once."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._under_way = self.most = 0

    async def send(self, records: Sequence[Record], deadline_s: float) -> None:
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        await asyncio.sleep(0.5)
        await self._producer.send(records, deadline_s=deadline_s)
        self._under_way -= 1


async def test_several_buckets_are_published_side_by_side(spine: Spine) -> None:
    keys = list({_bucket(f"k-{n}"): f"k-{n}" for n in range(40)}.values())[:7]
    for key in keys:
        await _append(spine, key, range(2))
    slow: Any = Slow(spine.producer)
    stop = asyncio.Event()
    running = asyncio.create_task(Relay(spine.engine, slow, service="test").run(stop))
    await until(lambda: _drained(spine))
    stop.set()
    await running
    assert slow.most == BUCKETS_AT_ONCE
    assert await _published(spine) == {key: [0, 1] for key in keys}


async def test_a_relay_is_behind_while_what_it_publishes_has_waited_for_long(spine: Spine) -> None:
    relay = Relay(spine.engine, spine.producer, service="test")
    await _append(spine, "k", range(3))
    assert await relay.publish_bucket()
    assert not relay.behind
    await _append(spine, "k", range(3, 6))
    async with transaction(spine.engine) as tx:  # rows are never changed by the service: written anew, as of before
        row = await tx.raw.fetchrow("DELETE FROM outbox RETURNING bucket, records, record_count")
        columns = "bucket, records, record_count, created_at"
        insert = f"INSERT INTO outbox ({columns}) VALUES ($1, $2, $3, now() - interval '30 s')"
        await tx.raw.execute(insert, *row)
    assert await relay.publish_bucket()
    assert relay.behind
    assert not await relay.publish_bucket()
    assert not relay.behind


def _bucket(key: str) -> int:
    return outbox.bucket_of(key.encode())


async def test_four_relays_under_killed_sessions_lose_nothing_and_keep_each_keys_order(spine: Spine) -> None:
    keys = [f"k-{n}" for n in range(20)]
    dice = random.Random(20261122)

    async def write(key: str) -> None:
        for start in range(0, 100, 10):
            await _append(spine, key, range(start, start + 10))
            await asyncio.sleep(dice.random() / 20)

    async with _relays(spine, 4):
        writing = asyncio.gather(*(write(key) for key in keys))
        for _ in range(25):
            await kill_sessions(spine.engine)
            await asyncio.sleep(0.05)
        await writing
        await until(lambda: _drained(spine), within_s=30)
    published = await _published(spine)
    for key in keys:
        first_time = list(dict.fromkeys(published[key]))
        assert first_time == list(range(100)), f"{key}: {first_time}"
