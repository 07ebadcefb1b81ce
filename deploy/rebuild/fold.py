"""Folding a service's topics into an empty schema, by the code that the worker runs; nothing is sent to anybody."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from math import inf
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.rebuild.abreast import abreast
from deploy.rebuild.frozen import Frozen
from shared.db.engine import create_engine
from shared.db.transaction import transaction
from shared.events.contract import Topic
from shared.messaging import offsets
from shared.messaging.history import read_range
from shared.messaging.incoming import Item, RawRecord, read
from shared.messaging.lane import Lane
from shared.messaging.posting import Posting
from shared.messaging.topics import log_ranges
from shared.messaging.unparker import Unparker
from shared.roles import Service

Progress = Callable[[str], None]

# What others depend on comes first, so that little has to wait.
_FIRST = (Topic.PROGRAMMES.value, Topic.CUSTOMERS.value)
_POOL = 8
_SILENT_S = 1.0
# What an event had published was published long ago, and who was to be written to was: whoever works with this schema
# some day does neither again.
_SILENCE = "TRUNCATE outbox"
_SILENCE_MESSAGES = """
    UPDATE message SET status = 'skipped', reason = 'rebuilt', due_at = NULL
    WHERE status IN ('waiting', 'queued', 'sending')
"""


class Fold:
    """Brings one service's past into a schema, up to an instant that was frozen."""

    def __init__(self, url: str, bootstrap: str, service: Service[Any], frozen: Frozen) -> None:
        self._bootstrap, self._name, self._frozen = bootstrap, service.name, frozen
        self._application, self._run_clock = service.application(), service.run_clock
        self.engine: AsyncEngine = create_engine(
            url, name=f"treue-rebuild-{frozen.rebuilt}", pool_size=_POOL, command_timeout_s=120,
            schema=frozen.rebuilt, by_keys=True,
        )  # fmt: skip
        self._posting = Posting(self.engine, self._application, service=f"rebuild-{service.name}")
        self._free = asyncio.Semaphore(_POOL)  # a partition more would wait for a connection, and give up

    async def run(self, progress: Progress) -> None:
        """Fold what lies before the frozen positions."""
        positions = self._frozen.positions
        ranges = await log_ranges(self._bootstrap, list(positions))
        for topic in in_turn({topic for topic, _ in positions}):
            parts = {key[1]: (ranges[key][0], end) for key, end in positions.items() if key[0] == topic}
            await self._topic(topic, parts, progress)
        await self._unpark()
        if self._run_clock is not None:
            await self._run_clock(self.engine, self._frozen.at)
        await self._silence()

    async def _topic(self, topic: str, parts: dict[int, tuple[int, int]], progress: Progress) -> None:
        """The records of a topic's partitions, each from its first offset up to, not including, its last."""
        async with AsyncExitStack() as stack:
            lanes = {part: await self._lane(topic, part, first) for part, (first, _) in parts.items()}
            reading = {
                part: await stack.enter_async_context(aclosing(self._items(topic, part, first, end)))
                for part, (first, end) in parts.items()
            }
            told_at = -inf
            steps = await stack.enter_async_context(aclosing(abreast(reading)))
            async for step in steps:
                await _side_by_side(self._work(lanes[part], items) for part, items in step.items())
                if time.monotonic() > told_at + _SILENT_S:
                    told_at = time.monotonic()
                    folded = sum(lanes[part].position - first for part, (first, _) in parts.items())
                    progress(f"{topic}: {folded:,} of {sum(end - first for first, end in parts.values()):,}")

    async def _lane(self, topic: str, part: int, first: int) -> Lane:
        claim = await offsets.claim(self.engine, topic, part, first, "rebuild", "treue rebuild")
        return Lane(claim, self._posting, service=f"rebuild-{self._name}")

    async def _work(self, lane: Lane, items: Sequence[Item]) -> None:
        async with self._free:
            await lane.work(items)

    async def _items(self, topic: str, part: int, first: int, end: int) -> AsyncGenerator[Sequence[Item]]:
        async with aclosing(read_range(self._bootstrap, topic, part, first, end)) as chunks:
            async for chunk in chunks:
                yield await self._read(chunk)

    async def _read(self, chunk: Sequence[RawRecord]) -> Sequence[Item]:
        items = [read(raw, self._application.events.__contains__) for raw in chunk]
        if not self._frozen.put_aside:
            return items
        async with transaction(self.engine) as tx:
            return await self._frozen.without_put_aside(tx.raw, items)

    async def _unpark(self) -> None:
        """Events that waited for what another topic brought."""
        unparker = Unparker(self.engine, self._application)
        while True:
            async with transaction(self.engine) as tx:
                before = await tx.raw.fetchval("SELECT count(*) FROM parked_event")
            if not before or not await unparker.try_all():
                return

    async def _silence(self) -> None:
        async with transaction(self.engine, statement_timeout_s=600) as tx:
            await tx.raw.execute(_SILENCE)
            if self._name == "notifications":
                await tx.raw.execute(_SILENCE_MESSAGES)


def in_turn(topics: Iterable[str]) -> Sequence[str]:
    """One topic after the other: first the programmes, which profiles wait for, then these, and then the rest."""
    return sorted(topics, key=lambda topic: (_FIRST.index(topic) if topic in _FIRST else len(_FIRST), topic))


async def _side_by_side(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """When one of them fails none of them is at work any more: the schema is going to be dropped."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
