"""The worker as a process, on the real Kafka: from a record on a topic to a record on another."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.clock import SystemClock
from shared.events.contract import Topic
from shared.events.envelope import Record
from shared.events.points import PointsActivated, PointsClawedBack, PointsEarned
from shared.messaging.incoming import Incoming, RawRecord, raw_record, read
from shared.messaging.producer import Producer
from tests.conftest import DatabaseFactory
from tests.support.eventually import until
from tests.support.points import Books, Shop, opened
from tests.support.points_api import PUBLIC_KEY
from tests.support.stack import Database, Parts

_ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def worker(parts: Parts, database: Database, log: Path) -> AsyncIterator[None]:
    environment = os.environ | {
        "POINTS_DATABASE_URL": database.app,
        "KAFKA_BOOTSTRAP": parts.kafka_bootstrap,
        "INTERNAL_PUBLIC_KEY": PUBLIC_KEY.replace("\n", "\\n"),
        "POINTS_WORKER_PORT": "0",
        "POINTS_ACTIVATION_INTERVAL_S": "0.2",
    }
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.points", "worker", env=environment, stderr=stderr, cwd=_ROOT
        )
    try:
        yield
    finally:
        process.terminate()
        async with asyncio.timeout(20):
            assert await process.wait() == 0  # in order, within twenty seconds


@asynccontextmanager
async def producing(parts: Parts) -> AsyncIterator[Producer]:
    producer = Producer(parts.kafka_bootstrap, client_id="test")
    await producer.start()
    try:
        await until(lambda: producer.ready)
        yield producer
    finally:
        await producer.stop()


async def told(parts: Parts, shop: Shop, count: int) -> list[Incoming]:
    """What treue.points says of this shop, once there are so many."""
    consumer = AIOKafkaConsumer(bootstrap_servers=parts.kafka_bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(Topic.POINTS.value, part) for part in range(6)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        found: list[Incoming] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    items = [read(raw_record(record), lambda _: True) for record in records]
                    found += [item for item in items if isinstance(item, Incoming) and item.tenant == shop.tenant]
        return found
    finally:
        await consumer.stop()


async def test_from_a_purchase_to_the_told_event(parts: Parts, database: DatabaseFactory, tmp_path: Path) -> None:
    mine, shop, now = await database("points"), Shop(), SystemClock().now()
    async with opened(mine) as books, producing(parts) as producer, worker(parts, mine, tmp_path / "worker.log"):
        bought = shop.bought("o-1", 8000, at=now, taken_in_at=now)
        back = shop.returned("o-1", 3000, at=now, taken_in_at=now)
        raws = [each.raw for each in (bought, back, bought)]
        await producer.send([_record(raw) for raw in raws], deadline_s=10)
        await until(lambda: _parked(books), within_s=60)
        await books.open(shop)
        earned, clawed = sorted(await told(parts, shop, 2), key=lambda each: each.event.wallet_version)  # type: ignore[attr-defined]
        assert isinstance(earned.event, PointsEarned)
        assert isinstance(clawed.event, PointsClawedBack)
        assert (earned.event.points, earned.event.available, earned.event.cause_id) == (80, 80, bought.id)
        assert (clawed.event.points, clawed.event.available, clawed.event.wallet_version) == (30, 50, 2)
        assert (await books.balance(shop)).posted == 50
        assert await books.drift(shop) == {}


async def test_what_falls_due_is_activated_and_told(parts: Parts, database: DatabaseFactory, tmp_path: Path) -> None:
    mine, shop, now = await database("points"), Shop(), SystemClock().now()
    async with opened(mine) as books, producing(parts) as producer, worker(parts, mine, tmp_path / "worker.log"):
        await books.open(shop, activation_delay_days=14)
        almost = now - timedelta(days=14) + timedelta(seconds=4)
        event = shop.bought("o-1", at=almost, taken_in_at=now)
        await producer.send([_record(event.raw)], deadline_s=10)
        earned, active = sorted(await told(parts, shop, 2), key=lambda each: each.event.wallet_version)  # type: ignore[attr-defined]
        assert isinstance(earned.event, PointsEarned)
        assert isinstance(active.event, PointsActivated)
        assert earned.event.active_from == active.event.occurred_at
        assert (active.event.points, active.event.available, active.event.pending) == (49, 49, 0)
        assert await books.drift(shop) == {}


def _record(raw: RawRecord) -> Record:
    return Record(raw.topic, raw.key or b"", raw.value or b"", raw.headers)


async def _parked(books: Books) -> bool:
    (row,) = await books.fetch("SELECT count(*) AS parked FROM parked_event")
    return row["parked"] >= 2
