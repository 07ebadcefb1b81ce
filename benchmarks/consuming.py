"""A worker in a process of its own that only consumes: `python -m benchmarks.consuming points|metrics DATABASE KAFKA
COUNT WORKERS`. Prints as JSON of each commit when it was, on the machine's monotonic clock, how many events were done
then, and how many CPU-seconds this process had taken.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable

import structlog
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.metrics.adapters.store import TableStore
from services.metrics.entrypoints.consumer import MetricsApplication
from services.points.bootstrap import build_application
from shared.db.engine import create_engine
from shared.events.contract import Topic
from shared.messaging.consumer import Consumer, ConsumerSettings
from shared.messaging.incoming import Application
from shared.process import collect_garbage_less_often

_GIVE_UP_S = 180.0
_IDLE_S = 4.0
_PARTITIONS = 6
_APPLICATIONS: dict[str, Callable[[], Application]] = {
    "points": build_application,
    "metrics": lambda: MetricsApplication(TableStore),
}


class _Together(Consumer):
    """Begins when the group has given it its share, and so all the others theirs."""

    share: int

    async def _feed(self, consumer: AIOKafkaConsumer, idle: list[TopicPartition]) -> None:
        if len([tp for tp in self._membership.assigned if tp.topic == Topic.PURCHASES.value]) > self.share:
            await asyncio.sleep(0.02)
        else:
            await super()._feed(consumer, idle)


async def consume(service: str, database: str, kafka: str, count: int, workers: int) -> list[tuple[float, int, float]]:
    """Consume until all partitions together stand at `count`, or until nothing has come for a while."""
    engine = create_engine(database, name="bench", pool_size=8, by_keys=True)
    stop = asyncio.Event()
    commits: list[tuple[float, int, float]] = []

    def committed() -> None:
        if stop.is_set():
            return  # the lanes have been let go
        lanes = consumer._lanes.items()  # noqa: SLF001 - a query to count would cost what is measured
        done = sum(lane.position for tp, lane in lanes if tp.topic == Topic.PURCHASES.value)
        commits.append((time.monotonic(), done, time.process_time()))
        if done >= count:
            stop.set()

    consumer = _Together(ConsumerSettings(kafka, service), engine, _APPLICATIONS[service](), after_commit=committed)
    consumer.share = _PARTITIONS // workers
    collect_garbage_less_often()
    running = asyncio.ensure_future(consumer.run(stop))
    deadline = time.monotonic() + _GIVE_UP_S
    while not stop.is_set() and not running.done() and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        if commits and time.monotonic() - commits[-1][0] > _IDLE_S:
            break
    stop.set()
    await running
    await engine.dispose()
    return commits


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    service_, database_, kafka_, count_, workers_ = sys.argv[1:]
    print(json.dumps(uvloop.run(consume(service_, database_, kafka_, int(count_), int(workers_)))))
