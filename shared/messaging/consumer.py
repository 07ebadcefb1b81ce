"""The consumer: reads the topics of one service and brings them into its database, each partition in its own lane.

Kafka says which partitions are ours; the claim in Postgres makes it true. Records of a partition that is not claimed in
the present generation are never looked at. A lane reads its next batch while others are in the database; nothing is
queued beyond one batch a partition, so a slow database slows the reading and memory stays flat.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging import failpoints, offsets
from shared.messaging.claiming import claim_partitions, verify_last
from shared.messaging.clients import client_died, group_member, let_broker_hold, stop_within
from shared.messaging.dead_letters import TooManyError
from shared.messaging.failures import Verdict, verdict
from shared.messaging.incoming import Application, raw_record, read
from shared.messaging.lane import HaltError, Lane
from shared.messaging.membership import Membership
from shared.messaging.offsets import FencedError
from shared.messaging.posting import Posting
from shared.messaging.progress import Pulse, show_progress
from shared.messaging.topics import cluster_id
from shared.observability.logging import get_logger
from shared.observability.metrics import CONSUMER_LAG
from shared.process import end

_log = get_logger(__name__)
_BATCH_MAX = 2_000
_POLL_MS = 500  # an idle service waits at the broker, which answers as soon as there is something
_POLL_BUSY_MS = 50
_HALT_RETRY_S = 5.0
_CLAIM_RETRY_S = 0.5
_DRAIN_S = 3.0
_EMPTY_S = 30.0
_SILENT_S = 20.0
_DEAF_S = 40.0


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """How to join: `service` is the group, and the name in every log line and metric."""

    bootstrap: str
    service: str
    session_timeout_ms: int = 6_000
    batch_max: int = _BATCH_MAX


class Consumer:
    """Runs until told to stop; reconnects for ever."""

    def __init__(
        self,
        settings: ConsumerSettings,
        engine: AsyncEngine,
        application: Application,
        after_commit: Callable[[], None] = lambda: None,
        held_back: Callable[[], bool] = lambda: False,
    ) -> None:
        """`after_commit` is called when a batch is committed: for the relay, which need not wait for its next look.
        While `held_back` nothing new is read: the outbox must not grow for ever."""
        self._settings, self._engine, self._application = settings, engine, application
        self._posting = Posting(engine, application, service=settings.service)
        self._after_commit, self._held_back = after_commit, held_back
        self._membership = Membership(settings.service)
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._lanes: dict[TopicPartition, Lane] = {}
        self._working: dict[TopicPartition, asyncio.Task[None]] = {}
        self._generation = 0
        self._caught_up: set[TopicPartition] = set()
        self._claim_again: dict[TopicPartition, float] = {}
        self.halted: dict[str, str] = {}
        self._pulse = Pulse()
        self.connected = False

    @property
    def problem(self) -> str | None:
        """Why this consumer does not do its work, for readiness; None when it does."""
        if self.halted:
            return "; ".join(f"{where}: {why}" for where, why in sorted(self.halted.items()))
        return self._pulse.problem if self.connected else "not connected to Kafka"

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until told to stop."""
        delay_s = 0.2
        while not stop.is_set():
            try:
                await self._session(stop)
                delay_s = 0.2
            except Exception as error:
                if verdict(error) is Verdict.REFUSE and not isinstance(error, KafkaError):
                    raise
                _log.warning("consumer_reconnects", error=f"{type(error).__name__}: {error}"[:300])
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), timeout=delay_s)
                delay_s = min(delay_s * 2, 2.0)

    async def _session(self, stop: asyncio.Event) -> None:
        """One life of the Kafka client: from joining the group to leaving it."""
        cluster = await asyncio.wait_for(cluster_id(self._settings.bootstrap), timeout=15)
        consumer = group_member(
            self._settings.bootstrap, f"treue-{self._settings.service}", self._settings.session_timeout_ms
        )
        consumer.subscribe(list(self._application.topics), listener=self._membership)
        showing: asyncio.Future[None] | None = None
        try:
            await asyncio.wait_for(consumer.start(), timeout=60)
            self._pulse.heard()
            self.connected = True
            showing = asyncio.ensure_future(
                show_progress(self._engine, consumer, self._lanes, self._caught_up, self._pulse, self._forget)
            )
            await self._read(consumer, cluster, stop)
        finally:
            self.connected = False
            if showing is not None:
                await end(showing)
            await self._let_go()
            await stop_within(consumer, 3)

    async def _read(self, consumer: AIOKafkaConsumer, cluster: str, stop: asyncio.Event) -> None:
        alone_since = time.monotonic()
        while not stop.is_set():
            if self._membership.generation != self._generation:
                await self._let_go()
                self._generation = self._membership.generation
            await self._claim_missing(consumer, cluster)
            let_broker_hold(consumer, _POLL_BUSY_MS if self._working else _POLL_MS)
            idle = [tp for tp in self._lanes if tp not in self._working]
            if idle and not self._held_back():
                await self._feed(consumer, idle)
            else:
                await self._wait_for_work(stop)
            alone_since = time.monotonic() if self._membership.assigned else alone_since
            if client_died(consumer) or self._pulse.silent_s > _DEAF_S:
                raise TimeoutError("the Kafka client died, or Kafka is away for long: joining the group anew")
            if time.monotonic() - alone_since > _EMPTY_S:
                # aiokafka's member without partitions leaves and does not come back by itself.
                raise TimeoutError("no partitions assigned for a while: joining the group anew")

    async def _feed(self, consumer: AIOKafkaConsumer, idle: list[TopicPartition]) -> None:
        """Read what there is for the idle lanes and set them to work."""
        generation = self._generation
        found = await self._fetched(consumer, idle)
        if generation != self._membership.generation:
            return  # a rebalance came in between: what was read belongs to somebody else now
        for tp in idle:
            lane, records = self._lanes.get(tp), found.get(tp)
            if lane is None:
                continue
            if not records:
                self._note_idle(consumer, tp, lane)
                continue
            self._caught_up.discard(tp)
            failpoints.reach("consume_after_read")
            self._working[tp] = asyncio.ensure_future(self._work(tp, lane, records))

    async def _fetched(
        self, consumer: AIOKafkaConsumer, idle: list[TopicPartition]
    ) -> Mapping[TopicPartition, list[object]]:
        """What has come for these partitions, as soon as there is something, or nothing, as soon as another lane is
        free: what lies ready for that one must not wait for these.

        Raises TimeoutError when the client, which answers twice a second if only by nothing, does not answer at all.
        """
        reading = asyncio.ensure_future(
            consumer.getmany(*idle, timeout_ms=_POLL_MS, max_records=self._settings.batch_max)
        )
        try:
            done, _ = await asyncio.wait(
                [reading, *self._working.values()], timeout=_SILENT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                raise TimeoutError("the Kafka client does not answer: joining the group anew")
            return reading.result() if reading.done() else {}
        finally:
            reading.cancel()

    async def _work(self, tp: TopicPartition, lane: Lane, records: list[object]) -> None:
        before = lane.position
        try:
            raw = [raw_record(record) for record in records]
            verify_last(lane, raw)
            await lane.work([read(each, self._application.events.__contains__) for each in raw])
            self._after_commit()
            if lane.position > before:
                self._go_on(tp)
        except FencedError as fenced:
            _log.info("lane_fenced", topic=tp.topic, part=tp.partition, why=str(fenced))
            self._lanes.pop(tp, None)
        except (HaltError, TooManyError) as halt:
            await self._halt(tp, lane, str(halt))
        except Exception as error:  # noqa: BLE001 - our own fault: reading on would leave a hole, whatever it is
            _log.exception("lane_failed", topic=tp.topic, part=tp.partition)
            await self._halt(tp, lane, f"{type(error).__name__}: {error}"[:500])
        finally:
            self._working.pop(tp, None)

    async def _halt(self, tp: TopicPartition, lane: Lane, why: str) -> None:
        """Stand still on this partition, and say why wherever somebody may look. It is claimed, and checked, anew after
        a while: what was set right in the database or in the log meanwhile is found then."""
        self._note_halt(tp, why)
        with contextlib.suppress(Exception):
            await offsets.note_halt(self._engine, lane.claim, why)
        self._lanes.pop(tp, None)

    def _note_halt(self, tp: TopicPartition, why: str) -> None:
        name = f"{tp.topic}/{tp.partition}"
        if self.halted.get(name) != why:
            _log.error("partition_halted", topic=tp.topic, part=tp.partition, why=why)
        self.halted[name] = why
        self._claim_again[tp] = time.monotonic() + _HALT_RETRY_S

    def _go_on(self, tp: TopicPartition) -> None:
        """It works again, or has nothing left to do: the claim alone does not show it."""
        if self.halted.pop(f"{tp.topic}/{tp.partition}", None) is not None:
            _log.info("partition_goes_on", topic=tp.topic, part=tp.partition)

    async def _claim_missing(self, consumer: AIOKafkaConsumer, cluster: str) -> None:
        generation = self._generation
        now = time.monotonic()
        missing = [
            tp
            for tp in self._membership.assigned
            if tp not in self._lanes and tp not in self._working and self._claim_again.get(tp, 0.0) <= now
        ]
        if not missing:
            return
        try:
            found = await claim_partitions(consumer, self._engine, sorted(missing), cluster, self._owner)
        except IllegalStateError:
            return  # the group took a partition away while it was claimed: the loop looks at what is ours now
        except Exception as error:  # noqa: BLE001 - judged there, never swallowed
            self._claim_later(missing, error)
            return
        if generation == self._membership.generation:
            for failure, tps in found.by_failure():
                self._claim_later(tps, failure)
            for tp, claim in found.claims.items():
                self._lanes[tp] = Lane(claim, self._posting, service=self._settings.service)

    def _claim_later(self, tps: Sequence[TopicPartition], error: Exception) -> None:
        """Raises the error when another try would not help."""
        if isinstance(error, HaltError):
            for tp in tps:
                self._note_halt(tp, str(error))
            return
        if verdict(error) is not Verdict.RETRY:
            raise error
        # The database is away for a moment: no reason to leave the group, and to make it rebalance.
        _log.warning("claim_retried", partitions=len(tps), error=f"{type(error).__name__}: {error}"[:200])
        self._claim_again.update(dict.fromkeys(tps, time.monotonic() + _CLAIM_RETRY_S))

    def _forget(self, tp: TopicPartition) -> None:
        """Claim it anew, though nothing has come: somebody deleted its position."""
        if tp not in self._working:
            self._caught_up.discard(tp)
            self._lanes.pop(tp, None)

    async def _let_go(self) -> None:
        """Finish what is under way, or drop it: a rollback is safe, and the next owner begins where we committed."""
        under_way = list(self._working.values())
        self._lanes.clear()
        self._caught_up.clear()
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=_DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        self._working.clear()
        self._claim_again.clear()
        self.halted.clear()

    async def _wait_for_work(self, stop: asyncio.Event) -> None:
        """Nothing to read for: until a lane is free, the assignment turns, or a moment has passed."""
        self._membership.changed.clear()
        waits = [asyncio.ensure_future(self._membership.changed.wait()), asyncio.ensure_future(stop.wait())]
        await asyncio.wait([*waits, *self._working.values()], timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()

    def _note_idle(self, consumer: AIOKafkaConsumer, tp: TopicPartition, lane: Lane) -> None:
        high = consumer.highwater(tp) if tp in self._membership.assigned else None
        if high is not None:
            CONSUMER_LAG.labels(self._settings.service, tp.topic, tp.partition).set(max(0, high - lane.position))
            if lane.position >= high:
                self._caught_up.add(tp)
                self._go_on(tp)
