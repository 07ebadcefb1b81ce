"""One run of workers over what lies in the topic, and what it cost."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import asyncpg

from benchmarks.harness import Sample, cpu_s
from benchmarks.machine import Database, Machine
from benchmarks.shop import TENANT
from deploy.local.folder import PROJECT
from shared.events.contract import Topic
from shared.messaging.topics import cluster_id, log_ranges

_PURCHASES = Topic.PURCHASES.value
_PARTITIONS = 6
_WINDOW_MIN_S = 0.3
_WELL_BEGUN, _NEARLY_DONE = 0.2, 0.9
_SKIP = """
    INSERT INTO consumer_offset (topic, part, first_offset, next_offset, epoch, cluster_id) VALUES ($1, $2, $3, $3, 1, $4)
    ON CONFLICT (topic, part) DO UPDATE SET next_offset = excluded.next_offset, last_hash = NULL
"""  # noqa: E501

_PROGRAMMES = {
    "points": """
        INSERT INTO programme VALUES ('{}', 1, 'bench', 'EUR', 'Europe/Berlin', 'de-DE', 1, 'floor', 'recompute', 0,
            '2020-01-01', now(), 'bench')
    """,
    "metrics": "INSERT INTO programme VALUES ('{}', 1, 'EUR', 'Europe/Berlin')",
}


async def execute(url: str, service: str, *statements: str, timeout_s: float = 60) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": service})
    try:
        for statement in statements:
            await connection.execute(statement, timeout=timeout_s)
    finally:
        await connection.close()


async def fetch_value(url: str, service: str, query: str) -> Any:
    connection = await asyncpg.connect(url, server_settings={"search_path": service})
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def open_shop(database: Database, service: str) -> None:
    """Give the tenant its programme."""
    asyncio.run(execute(database.admin, service, _PROGRAMMES[service].format(TENANT)))


async def skip_to_end(kafka: str, database: Database) -> None:
    """Have the consumers of this database pass over what lies in the topic already."""
    cluster = await cluster_id(kafka)
    ranges = await log_ranges(kafka, [(_PURCHASES, part) for part in range(_PARTITIONS)])
    connection = await asyncpg.connect(database.app)
    try:
        rows = [(topic, part, end, cluster) for (topic, part), (_, end) in ranges.items()]
        await connection.executemany(_SKIP, rows)
    finally:
        await connection.close()


def run(
    machine: Machine,
    database: Database,
    service: str,
    until: int,
    workers: int = 1,
    events: int | None = None,
    hold: Callable[[int], None] = lambda _: None,
) -> Sample:
    """Events a second while all workers are well under way. `until` is the sum of the partitions' positions at the end,
    `events` how many of them are new (all, unless told). `hold` is told of each worker's process."""
    count = until if events is None else events
    asyncio.run(execute(database.admin, service, "CHECKPOINT"))
    postgres = machine.pid("postgres")
    cpu_before, wal_before = cpu_s(postgres), _wal(database)
    command = [
        sys.executable, "-m", "benchmarks.consuming", service, database.app, machine.kafka, str(until), str(workers),
    ]  # fmt: skip
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) for _ in range(workers)]
    for child in children:
        hold(child.pid)
    answers = [json.loads(child.communicate(timeout=300)[0]) for child in children]
    if not all(answers):
        raise RuntimeError(f"of {workers} workers some had nothing to do; more events are needed")
    rate, worker_us = _under_way([_Progress(*zip(*answer, strict=True)) for answer in answers])
    return Sample(
        rate,
        {
            "batch": count / sum(map(len, answers)),
            "worker_us": worker_us,
            "postgres_us": (cpu_s(postgres) - cpu_before) / count * 1e6,
            "wal_bytes": (_wal(database) - wal_before) / count,
        },
    )


class _Progress(NamedTuple):
    """A worker's commits: when each was, how many events were done then, and with how much CPU."""

    at: Sequence[float]
    done: Sequence[float]
    cpu_s: Sequence[float]

    def when(self, share: float) -> float:
        """When so much of its work was done."""
        return _interpolated(self.done, self.at, self.done[0] + share * (self.done[-1] - self.done[0]))

    def growth(self, of: Sequence[float], begin: float, end: float) -> float:
        """How much was added to `done` or `cpu_s` meanwhile."""
        return _interpolated(self.at, of, end) - _interpolated(self.at, of, begin)


def _under_way(workers: Sequence[_Progress]) -> tuple[float, float]:
    """Events a second of all together, and microseconds of CPU an event, while each was well under way.

    At its first commit a worker has half done what lies in its other lanes; a rate from then on would count it whole.
    """
    begin, end = max(each.when(_WELL_BEGUN) for each in workers), min(each.when(_NEARLY_DONE) for each in workers)
    if end - begin < _WINDOW_MIN_S:
        raise RuntimeError("the workers were hardly at work together; more events are needed")
    done = sum(each.growth(each.done, begin, end) for each in workers)
    cpu = sum(each.growth(each.cpu_s, begin, end) for each in workers)
    return done / (end - begin), cpu / done * 1e6


def _interpolated(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """Between two commits, as if the work went on evenly."""
    for (left, right), (low, high) in zip(pairwise(xs), pairwise(ys), strict=True):
        if left <= x <= right:
            return low + (high - low) * (x - left) / max(right - left, 1e-9)
    return ys[-1]


def _wal(database: Database) -> int:
    return int(asyncio.run(fetch_value(database.admin, "public", "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")))
