"""Folding a service's topics into an empty schema, by the code that the worker runs; nothing is sent to anybody."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.problems import OperatorError
from shared.db.engine import create_engine
from shared.db.migrate import migrate
from shared.db.transaction import transaction
from shared.events.contract import Topic
from shared.messaging import offsets
from shared.messaging.history import read_range
from shared.messaging.incoming import read
from shared.messaging.lane import Lane
from shared.messaging.posting import Posting
from shared.messaging.topics import log_ranges
from shared.messaging.unparker import Unparker
from shared.roles import Service

Positions = Mapping[tuple[str, int], int]
Progress = Callable[[str], None]

# What others depend on comes first, so that little has to wait.
_FIRST = (Topic.PROGRAMMES.value, Topic.CUSTOMERS.value)
_POOL = 8


async def make_schema(database: asyncpg.Connection, url: str, service: Service[Any], schema: str) -> None:
    """An empty schema with the service's tables. Points' own programmes are no fold of events: they are copied."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", schema):
        raise OperatorError(f"{schema!r} is no name for a schema.", "Use small letters, digits and _.")
    try:
        await database.execute(f"CREATE SCHEMA {schema}")
    except asyncpg.DuplicateSchemaError as error:
        raise OperatorError(
            f"The schema {schema} exists already.", "Drop it, or choose another with --into."
        ) from error
    await migrate(url, schema, service.migrations)
    if service.name == "points":
        await database.execute(f"INSERT INTO {schema}.programme SELECT * FROM points.programme")  # noqa: S608


async def live_positions(database: asyncpg.Connection, service: str) -> dict[tuple[str, int], int]:
    """Where the live service stands."""
    rows = await database.fetch(f"SELECT topic, part, next_offset FROM {service}.consumer_offset")  # noqa: S608
    return {(row["topic"], row["part"]): row["next_offset"] for row in rows}


class Fold:
    """Brings one service's past into a schema, up to wherever it is told."""

    def __init__(self, url: str, bootstrap: str, service: Service[Any], schema: str) -> None:
        self._bootstrap, self._name = bootstrap, service.name
        self._application = service.application()
        self.engine: AsyncEngine = create_engine(
            url, name=f"treue-rebuild-{schema}", pool_size=_POOL, command_timeout_s=120, schema=schema
        )
        self._posting = Posting(self.engine, self._application, service=f"rebuild-{service.name}")
        self._lanes: dict[tuple[str, int], Lane] = {}

    async def up_to(self, positions: Positions, progress: Progress) -> None:
        """Fold what lies before these positions and was not folded yet."""
        ranges = await log_ranges(self._bootstrap, list(positions))
        waves: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
        for topic, part in positions:
            waves[_FIRST.index(topic) if topic in _FIRST else len(_FIRST)].append((topic, part))
        for _, wave in sorted(waves.items()):
            await asyncio.gather(*(self._partition(key, ranges[key][0], positions[key], progress) for key in wave))
        await self._unpark()

    async def _partition(self, key: tuple[str, int], first: int, end: int, progress: Progress) -> None:
        topic, part = key
        if key not in self._lanes:
            claim = await offsets.claim(self.engine, topic, part, first, "rebuild", "treue rebuild")
            self._lanes[key] = Lane(claim, self._posting, service=f"rebuild-{self._name}")
        lane = self._lanes[key]
        async for chunk in read_range(self._bootstrap, topic, part, lane.position, end):
            await lane.work([read(raw, self._application.events.__contains__) for raw in chunk])
            progress(f"{topic}/{part}: {lane.position:,} of {end:,}")

    async def _unpark(self) -> None:
        """Events that waited for what another topic brought; who waits in the live schema too goes on waiting."""
        unparker = Unparker(self.engine, self._application)
        while True:
            async with transaction(self.engine) as tx:
                before = await tx.raw.fetchval("SELECT count(*) FROM parked_event")
            if not before or not await unparker.try_all():
                return
