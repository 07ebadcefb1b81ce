"""A spine to test: a fresh database, a fresh topic, and the counting service between them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import transaction
from shared.ids import new_id
from shared.messaging.consumer import Consumer, ConsumerSettings
from shared.messaging.producer import Producer
from shared.messaging.topics import Topic, apply_topics
from tests.support.counting import Counting, prepare
from tests.support.eventually import until
from tests.support.stack import Database, Parts


@dataclass
class Spine:
    """The parts of one test."""

    bootstrap: str
    topic: str
    service: str
    engine: AsyncEngine
    application: Counting
    producer: Producer

    def consumer(
        self, application: Counting | None = None, engine: AsyncEngine | None = None, **more: Callable[[], bool]
    ) -> Consumer:
        settings = ConsumerSettings(self.bootstrap, self.service, session_timeout_ms=6_000)
        return Consumer(settings, engine or self.engine, application or self.application, **more)

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        async with transaction(self.engine) as tx:
            return list(await tx.raw.fetch(query, *values))

    async def value(self, query: str, *values: Any) -> Any:
        return (await self.fetch(query, *values))[0][0]

    async def position(self) -> int:
        """How many records are behind the stored positions, over all partitions."""
        return int(await self.value("SELECT coalesce(sum(next_offset - first_offset), 0) FROM consumer_offset"))

    async def reaches(self, count: int, within_s: float = 20) -> None:
        async def there() -> bool:
            return await self.position() == count

        await until(there, within_s=within_s)

    @contextlib.asynccontextmanager
    async def running(self, consumer: Consumer) -> AsyncIterator[Consumer]:
        stop = asyncio.Event()
        task = asyncio.create_task(consumer.run(stop))
        try:
            yield consumer
        finally:
            stop.set()
            await asyncio.wait_for(task, 20)


@pytest.fixture
async def spine(parts: Parts, database: Callable[[str], Awaitable[Database]]) -> AsyncIterator[Spine]:
    service = "points"
    engine = await prepare(await database(service), service)
    topic = f"test.{new_id().hex}"
    await apply_topics(parts.kafka_bootstrap, [Topic(topic, 3, {})])
    producer = Producer(parts.kafka_bootstrap, client_id="test")
    await producer.start()
    await until(lambda: producer.ready)
    group = f"t{new_id().hex}"
    yield Spine(parts.kafka_bootstrap, topic, group, engine, Counting([topic]), producer)
    await producer.stop()
    await engine.dispose()
