"""The worker as it runs: real Kafka, real Postgres, its consumer, unparker and relay together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from services.metrics.adapters import queries
from services.metrics.bootstrap import run_worker
from services.metrics.domain.figures import OrderValue
from services.metrics.settings import MetricsSettings
from shared.events.contract import Topic
from shared.events.envelope import Record, record_of
from shared.messaging.incoming import Incoming
from shared.messaging.producer import Producer
from tests.support.eventually import until
from tests.support.metrics import Metrics, Shop
from tests.support.stack import Database, Parts

MARCH = ("2026-03-01", "2026-04-01")


@dataclass
class Running:
    """A worker on a database of its own, and a way to send it events."""

    metrics: Metrics
    producer: Producer

    async def send(self, events: Sequence[Incoming]) -> None:
        records = [record_of(event.envelope, event.event) for event in events]
        await self.producer.send(records, deadline_s=20)

    async def counts(self, shop: Shop, wanted: OrderValue) -> None:
        async def counted() -> bool:
            return bool(await self.metrics.figure(queries.order_value, shop, *MARCH) == wanted)

        await until(counted, within_s=40)


@pytest.fixture
async def worker(
    parts: Parts, database: Callable[[str], Awaitable[Database]], internal_public_key: str
) -> AsyncIterator[Running]:
    base = await database("metrics")
    metrics = await Metrics.on(base)
    settings = MetricsSettings(
        database_url=base.app,  # type: ignore[arg-type]
        kafka_bootstrap=parts.kafka_bootstrap,
        internal_public_key=internal_public_key,
    )
    producer = Producer(parts.kafka_bootstrap, client_id="test")
    await producer.start()
    await until(lambda: producer.ready)
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(settings, stop))
    yield Running(metrics, producer)
    stop.set()
    await asyncio.wait_for(task, 20)
    await producer.stop()
    await metrics.engine.dispose()


async def test_events_become_figures_whatever_topic_is_first(worker: Running) -> None:
    shop = Shop()
    purchases = [shop.bought(f"o-{n}", 100, f"c-{n % 7}") for n in range(50)]
    await worker.send([shop.returned("o-3", 40, "c-3"), *purchases, *purchases[:20], shop.answered("a1", 10)])
    await worker.send([shop.bought("o-1", 100, "c-1", name="the same order again")])

    async def parked() -> bool:
        rows = await worker.metrics.fetch("SELECT count(*) FROM parked_event WHERE tenant = $1", shop.tenant)
        return bool(rows[0][0] >= 50)

    await until(parked, within_s=40)
    await worker.send([shop.programme()])
    await worker.counts(shop, OrderValue(50, 0, 5_000, 40))
    assert not await worker.metrics.drift(shop.tenant)


async def test_what_can_never_be_applied_is_told_and_passed(worker: Running, parts: Parts) -> None:
    shop = Shop()
    await worker.send([shop.programme()])
    unreadable = record_of(shop.bought("bad").envelope, shop.bought("bad").event)
    await worker.producer.send(
        [Record(Topic.PURCHASES.value, unreadable.key, b"{}", unreadable.headers)], deadline_s=20
    )
    await worker.send([shop.bought("good")])
    await worker.counts(shop, OrderValue(1, 0, 10_000, 0))

    async def told() -> Any:
        buried = await worker.metrics.fetch("SELECT FROM dead_letter WHERE record_key = $1", shop.bought("bad").key)
        waiting = await worker.metrics.fetch("SELECT FROM outbox")
        return bool(buried) and not waiting

    await until(told)
