"""Records on their way in whole batches: each partition has a lane, whose records travel together and are answered for
together, whoever brought them.

A lane has one batch on the way. What comes meanwhile, from whichever caller, gathers and goes with the next one, in the
order in which it came. Few records linger before they go, so that what other callers bring goes along.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.events.envelope import Record
from shared.messaging.clients import answered_within

_TOGETHER_MAX = 1_000
_MANY = 8  # so many at once do not linger
_LOOK_UP_TIMEOUT_S = 10.0

Settled = Callable[[Exception | None], None]
Arrived = Callable[[str, int], None]


@lru_cache(maxsize=65_536)
def key_hash(key: bytes) -> int:
    """Kafka's own hash of a key, which every client uses; remembered, since customers come again."""
    return int(murmur2(key) & 0x7FFFFFFF)


class _Delivery:
    """What one caller sends, in as many parts as there are lanes for it."""

    __slots__ = ("_error", "_settled", "acknowledged", "parts")

    def __init__(self, acknowledged: "asyncio.Future[None]", settled: Settled) -> None:
        self.acknowledged = acknowledged
        self.parts = 1
        self._settled = settled
        self._error: Exception | None = None

    def settle(self, error: Exception | None) -> None:
        """One of the parts has arrived, or failed."""
        self._error = self._error or error
        self.parts -= 1
        if self.parts:
            return
        self._settled(self._error)
        if self.acknowledged.done():  # whoever waited gave up
            return
        if self._error is None:
            self.acknowledged.set_result(None)
        else:
            self.acknowledged.set_exception(self._error)


class Batching:
    """The lanes of one aiokafka producer; `arrived` is told the topic and the size of each batch that Kafka has."""

    def __init__(self, producer: AIOKafkaProducer, linger_s: float, arrived: Arrived) -> None:
        self._producer, self._arrived = producer, arrived
        self._loop = asyncio.get_running_loop()
        self._departures = _Departures(linger_s)
        self._lanes: dict[str, list[_Lane]] = {}
        self._looking_up: set[asyncio.Task[None]] = set()

    def send(self, records: Sequence[Record], settled: Settled) -> "asyncio.Future[None]":
        """Put the records on their way. The future is done when Kafka has all of them, and fails if one of them failed;
        `settled` is told when none is on its way any more, whether or not somebody still waits."""
        # Asked of the loop that is known: finding out which one runs is a system call (Python 3.11).
        delivery = _Delivery(self._loop.create_future(), settled)
        if all(record.topic in self._lanes for record in records):
            self._spread(records, delivery)
        else:
            task = self._loop.create_task(self._look_up_and_spread(records, delivery))
            self._looking_up.add(task)
            task.add_done_callback(self._looking_up.discard)
        return delivery.acknowledged

    async def _look_up_and_spread(self, records: Sequence[Record], delivery: _Delivery) -> None:
        try:
            for topic in {record.topic for record in records} - self._lanes.keys():
                # The number of a topic's partitions never changes (topics.py).
                partitions = sorted(await answered_within(self._producer.partitions_for(topic), _LOOK_UP_TIMEOUT_S))
                self._lanes.setdefault(topic, [self._lane(topic, partition) for partition in partitions])
        except Exception as error:  # noqa: BLE001 - it is handed to whoever waits
            delivery.settle(error)
        else:
            self._spread(records, delivery)

    def _lane(self, topic: str, partition: int) -> "_Lane":
        return _Lane(self._producer, topic, partition, self._departures, self._arrived)

    def _spread(self, records: Sequence[Record], delivery: _Delivery) -> None:
        parts: dict[_Lane, list[Record]] = {}
        for record in records:
            lanes = self._lanes[record.topic]
            parts.setdefault(lanes[key_hash(record.key) % len(lanes)], []).append(record)
        delivery.parts = len(parts)
        for lane, part in parts.items():
            lane.add(part, delivery)


class _Departures:
    """When lanes leave: all that are ready at once, so that their batches share a request."""

    def __init__(self, linger_s: float) -> None:
        self._linger_s = linger_s
        self._ready: set[_Lane] = set()
        self._timer: asyncio.TimerHandle | None = None

    def announce(self, lane: "_Lane") -> None:
        """This lane has something to send and nothing on the way."""
        self._ready.add(lane)
        if lane.waiting >= _MANY:
            self._depart()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger_s, self._depart)

    def _depart(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for lane in self._ready:
            lane.depart()
        self._ready.clear()


class _Lane:
    """The records of one partition that wait, and the batch on its way."""

    def __init__(
        self, producer: AIOKafkaProducer, topic: str, partition: int, departures: _Departures, arrived: Arrived
    ) -> None:
        self._producer, self._topic, self._partition = producer, topic, partition
        self._departures, self._arrived = departures, arrived
        self._parts: deque[tuple[list[Record], _Delivery]] = deque()
        self.waiting = 0
        self._sending: asyncio.Task[None] | None = None

    def add(self, records: list[Record], delivery: _Delivery) -> None:
        """Have these wait for the lane's next departure."""
        self._parts.append((records, delivery))
        self.waiting += len(records)
        if self._sending is None:
            self._departures.announce(self)

    def depart(self) -> None:
        """Send what waits, and what else comes before the task has begun."""
        self._sending = asyncio.ensure_future(self._send())

    async def _send(self) -> None:
        """One batch: what waits, as much of it as a batch holds. Whatever fails, the lane goes on and everybody whose
        records it took is told."""
        deliveries: list[_Delivery] = []
        error: Exception | None = None
        try:
            batch = self._producer.create_batch()
            self._fill(batch, deliveries)
            await (await self._producer.send_batch(batch, self._topic, partition=self._partition))
            self._arrived(self._topic, batch.record_count())
        except asyncio.CancelledError:  # of a stopped client's own tasks, which escape from it
            error = ProducerClosed()
        except Exception as failure:  # noqa: BLE001 - it is handed to whoever waits
            error = failure
        self._sending = None
        for delivery in deliveries:
            delivery.settle(error)
        if self.waiting:
            self._departures.announce(self)

    def _fill(self, batch: BatchBuilder, deliveries: list[_Delivery]) -> None:
        """Put what waits into the batch, as much as it holds: one record at least, however large. `deliveries` are
        told whose records were taken, a record that cannot be written included."""
        while self._parts and batch.record_count() < _TOGETHER_MAX:
            records, delivery = self._parts.popleft()
            self.waiting -= len(records)
            deliveries.append(delivery)
            taken = _append(batch, records)
            if taken < len(records):
                self._parts.appendleft((records[taken:], delivery))
                self.waiting += len(records) - taken
                if taken:
                    delivery.parts += 1  # the rest is a part of its own
                else:
                    deliveries.pop()
                break
        batch.close()


def _append(batch: BatchBuilder, records: Sequence[Record]) -> int:
    """How many of these the batch took."""
    for taken, record in enumerate(records):
        found = batch.append(key=record.key or None, value=record.value, timestamp=None, headers=record.headers)
        if found is None:
            return taken
    return len(records)
