"""How far a consumer is, for others to see."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, RequestTimedOutError
from aiokafka.structs import OffsetAndMetadata
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging import failpoints, offsets
from shared.messaging.clients import answered_within
from shared.messaging.lane import Lane
from shared.observability.logging import get_logger

_log = get_logger(__name__)

Lanes = Mapping[TopicPartition, Lane]
_SILENT_S = 10.0
# Of what Kafka may answer to a commit, these are no answers.
_NO_ANSWER = (TimeoutError, KafkaConnectionError, NodeNotReadyError, RequestTimedOutError)


class Pulse:
    """When Kafka last answered: aiokafka's client does not tell that it has no connection any more."""

    def __init__(self) -> None:
        self._heard_at = time.monotonic()

    def heard(self) -> None:
        """Kafka answered, whatever it was."""
        self._heard_at = time.monotonic()

    @property
    def problem(self) -> str | None:
        """Why nothing can come, if so."""
        return f"Kafka has not answered for {self.silent_s:.0f} s" if self.silent_s > _SILENT_S else None

    @property
    def silent_s(self) -> float:
        """How long ago that was."""
        return time.monotonic() - self._heard_at


async def show_progress(
    engine: AsyncEngine,
    consumer: AIOKafkaConsumer,
    lanes: Lanes,
    caught_up: Collection[TopicPartition],
    pulse: Pulse,
    forget: Callable[[TopicPartition], None],
) -> None:
    """Every second: for the figures' `complete_through`, and Kafka's own display of lag. Best effort, both.

    `lanes` and `caught_up`, those of them that found nothing when they looked last, go on changing. `forget` is told
    which of these have lost their position in the database: nothing that comes would tell them for long."""
    while True:
        await asyncio.sleep(1)
        with contextlib.suppress(Exception):
            for gone in await _note_caught_up(engine, consumer, lanes, caught_up):
                forget(gone)
        await _commit(consumer, {tp: OffsetAndMetadata(lane.position, "") for tp, lane in lanes.items()}, pulse)


async def _commit(
    consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, OffsetAndMetadata], pulse: Pulse
) -> None:
    """A member without partitions has nothing to ask, and nothing to miss."""
    try:
        if positions:
            failpoints.reach("progress_before_commit")
            await answered_within(consumer.commit(positions), 2)
            failpoints.reach("progress_after_commit")
    except _NO_ANSWER:
        return
    except Exception:  # noqa: BLE001 - a refusal is an answer, and the commit is only for display
        _log.debug("commit_refused", exc_info=True)
    pulse.heard()


async def _note_caught_up(
    engine: AsyncEngine, consumer: AIOKafkaConsumer, lanes: Lanes, caught_up: Collection[TopicPartition]
) -> Iterable[TopicPartition]:
    """Which partitions had nothing left when Kafka was asked: what it had acknowledged by then is in. What was fetched
    last does not tell: who cannot reach Kafka hears of nothing new. Returns those whose position is gone."""
    waiting = [tp for tp in caught_up if tp in lanes]
    if not waiting:
        return []
    asked_at = time.monotonic()
    ends = await answered_within(consumer.end_offsets(waiting), 2)
    done = [lanes[tp].claim for tp in waiting if tp in lanes and lanes[tp].position >= ends[tp]]
    gone = await offsets.note_caught_up(engine, done, time.monotonic() - asked_at) if done else ()
    return [TopicPartition(*place) for place in gone]
