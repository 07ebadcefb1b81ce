"""Waiting until the services have done what was sent to them: they are behind what a benchmark sends."""

import asyncio
import time
from collections import Counter

import asyncpg

from benchmarks.machine import Machine
from shared.events.contract import Topic
from shared.messaging.topics import log_ranges

_POSITIONS = " UNION ALL ".join(
    f"SELECT '{service}' AS service, topic, part, next_offset FROM {service}.consumer_offset"
    for service in ("points", "metrics", "notifications")
)
_PARTITIONS = 6
_STILL_S = 60.0  # a worker that was stopped is back within it


Positions = dict[tuple[str, str, int], int]  # by service, topic and partition


def events_done(machine: Machine) -> dict[str, int]:
    """How many records each service has done."""
    done: Counter[str] = Counter()
    for (service, _, _), at in asyncio.run(_positions(machine)).items():
        done[service] += at
    return done


def events_taken_in(machine: Machine) -> int:
    """How many purchases lie in Kafka."""
    ends = asyncio.run(log_ranges(machine.kafka, [(Topic.PURCHASES.value, part) for part in range(_PARTITIONS)]))
    return sum(end for _, end in ends.values())


def wait_until_done(machine: Machine) -> None:
    """Returns when every service stands at the end of its topics. Raises RuntimeError when none goes on meanwhile."""
    seen, since = Positions(), time.monotonic()
    while True:
        now = asyncio.run(_positions(machine))
        left = asyncio.run(_left(machine, now))
        if not left:
            return
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > _STILL_S:
            raise RuntimeError(f"the services stand still, {left} records before the ends of their topics")
        time.sleep(0.5)


async def _positions(machine: Machine) -> Positions:
    connection = await asyncpg.connect(machine.stack.addresses.database)
    try:
        rows = await connection.fetch(_POSITIONS)
    finally:
        await connection.close()
    return {(row["service"], row["topic"], row["part"]): row["next_offset"] for row in rows}


async def _left(machine: Machine, positions: Positions) -> int:
    ends = await log_ranges(machine.kafka, {(topic, part) for _, topic, part in positions})
    return sum(max(ends[topic, part][1] - at, 0) for (_, topic, part), at in positions.items())
