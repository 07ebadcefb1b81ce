"""The worker of a service: consumer, unparker and relay side by side, with a health page of its own.

Batches, the relay and HTTP have engines of their own, so that none starves the others.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import close_engine, create_engine
from shared.db.transaction import transaction
from shared.errors import UnavailableError
from shared.http.app import create_app
from shared.http.health import ReadinessCheck
from shared.http.server import serve
from shared.messaging.consumer import Consumer, ConsumerSettings
from shared.messaging.incoming import Application
from shared.messaging.producer import Producer
from shared.messaging.relay import BUCKETS_AT_ONCE, Relay
from shared.messaging.unparker import Unparker
from shared.process import collect_garbage_less_often, run_together
from shared.settings import ServiceSettings


async def run_worker(
    service: str,
    settings: ServiceSettings,
    application: Application,
    stop: asyncio.Event,
    *,
    group: str | None = None,
    besides: Sequence[Coroutine[Any, Any, None]] = (),
) -> None:
    """Apply events, publish what follows from them and do what the service does `besides`, until told to stop.

    `group` is the consumer group, the service's name unless told otherwise.
    """
    async with (
        open_engine(settings, f"{service}-batches", settings.batch_pool_size, by_keys=True) as batches,
        open_engine(settings, f"{service}-relay", BUCKETS_AT_ONCE + 2, by_keys=True) as relaying,
        open_producer(settings, f"treue-{service}-worker") as producer,
    ):
        relay = Relay(relaying, producer, service=service)
        consuming = ConsumerSettings(settings.kafka_bootstrap, group or service)
        consumer = Consumer(consuming, batches, application, after_commit=relay.wake, held_back=lambda: relay.behind)
        health = create_app(
            service=f"{service}-worker",
            version="1",
            title=f"Treue {service}, worker",
            checks=(database_check(relaying), _consumer_check(consumer), producer_check(producer)),
        )
        collect_garbage_less_often()
        await run_together(
            stop,
            consumer.run(stop),
            Unparker(batches, application).run(stop),
            relay.run(stop),
            serve(health, settings.host, settings.worker_port, settings.shutdown_timeout_s, stop),
            *besides,
        )


@asynccontextmanager
async def open_engine(
    settings: ServiceSettings, name: str, pool_size: int, *, by_keys: bool = False
) -> AsyncIterator[AsyncEngine]:
    """An engine on the service's database, for as long as the block runs; `name` and `by_keys` as in create_engine."""
    url = settings.database_url.get_secret_value()
    engine = create_engine(url, name=f"treue-{name}", pool_size=pool_size, by_keys=by_keys)
    try:
        yield engine
    finally:
        await close_engine(engine)


@asynccontextmanager
async def open_producer(
    settings: ServiceSettings, client_id: str, in_flight_max: int = 20_000
) -> AsyncIterator[Producer]:
    """A producer for as long as the block runs; it connects by itself, however long that takes."""
    producer = Producer(settings.kafka_bootstrap, client_id=client_id, in_flight_max=in_flight_max)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def database_check(engine: AsyncEngine, *, only_to_begin: bool = False) -> ReadinessCheck:
    """Ready when the database answers; `only_to_begin`: see ReadinessCheck."""

    async def answers() -> None:
        async with transaction(engine):
            pass

    return ReadinessCheck("database", answers, only_to_begin=only_to_begin)


def producer_check(producer: Producer) -> ReadinessCheck:
    """Ready when there is a connection to Kafka."""

    async def produces() -> None:
        if not producer.ready:
            raise UnavailableError("no connection to Kafka")

    return ReadinessCheck("producer", produces)


def _consumer_check(consumer: Consumer) -> ReadinessCheck:
    async def consumes() -> None:
        if consumer.problem is not None:
            raise UnavailableError(consumer.problem)

    return ReadinessCheck("consumer", consumes)
