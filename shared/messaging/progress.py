"""How far a consumer is, for others to see."""

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging import failpoints, offsets
from shared.messaging.lane import Lane

Lanes = Mapping[TopicPartition, Lane]


async def show_progress(
    engine: AsyncEngine, consumer: AIOKafkaConsumer, lanes: Lanes, caught_up: Collection[TopicPartition]
) -> None:
    """Every second: for the figures' `complete_through`, and Kafka's own display of lag. Best effort, both.

    `lanes` and `caught_up`, those of them that found nothing when they looked last, go on changing."""
    while True:
        await asyncio.sleep(1)
        with contextlib.suppress(Exception):
            await _note_caught_up(engine, consumer, lanes, caught_up)
        positions = {tp: OffsetAndMetadata(lane.position, "") for tp, lane in lanes.items()}
        with contextlib.suppress(Exception):
            if positions:
                failpoints.reach("progress_before_commit")
                await asyncio.wait_for(consumer.commit(positions), timeout=2)
                failpoints.reach("progress_after_commit")


async def _note_caught_up(
    engine: AsyncEngine, consumer: AIOKafkaConsumer, lanes: Lanes, caught_up: Collection[TopicPartition]
) -> None:
    """Which partitions had nothing left when Kafka was asked: what it had acknowledged by then is in. What was fetched
    last does not tell: who cannot reach Kafka hears of nothing new."""
    waiting = [tp for tp in caught_up if tp in lanes]
    if not waiting:
        return
    asked_at = time.monotonic()
    ends = await asyncio.wait_for(consumer.end_offsets(waiting), timeout=2)
    done = [lanes[tp].claim for tp in waiting if tp in lanes and lanes[tp].position >= ends[tp]]
    if done:
        await offsets.note_caught_up(engine, done, time.monotonic() - asked_at)
