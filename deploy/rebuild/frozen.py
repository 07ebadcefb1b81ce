"""The live side of a rebuild, at one instant of a system that goes on working: where it stood, and what it held there.

What is compared is copied within one snapshot, beside the rebuilt tables. A fold up to the positions of that snapshot
then has all the time it needs; a snapshot held open as long would keep the server from cleaning up.

Events that wait at that instant, or were refused, have no effect in the live tables, though a fold would have it, for
whatever they waited for comes first there. So they are put aside in the fold as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from deploy.rebuild.folded import folded, selected
from shared.messaging.incoming import Foreign, Incoming, Item

LIVE = "live_"  # the names of the copies begin with it
_NOW = "SELECT clock_timestamp()"
_POSITIONS = "SELECT topic, part, next_offset FROM {live}.consumer_offset"
_COPY = "CREATE UNLOGGED TABLE {rebuilt}.{name} AS SELECT {columns}"
# What no event tells: the programmes of points are commands, the key of hashed addresses was minted, and whose an order
# was judged to be, where an event overtook an erasure, is a recorded fact.
_GIVEN: Mapping[str, Sequence[str]] = {
    "points": (
        "INSERT INTO {rebuilt}.programme SELECT * FROM points.programme",
        "INSERT INTO {rebuilt}.erased_order SELECT * FROM points.erased_order",
    ),
    "metrics": ("INSERT INTO {rebuilt}.erased_order SELECT * FROM metrics.erased_order",),
    "notifications": ("UPDATE {rebuilt}.address_key SET key = (SELECT key FROM notifications.address_key)",),
}
# A repetition that came in one batch with an event that was parked was counted, and must not be the first in the fold.
_PUT_ASIDE = (
    """
    CREATE UNLOGGED TABLE {rebuilt}.put_aside AS
    SELECT topic, part, off, tenant, event_id,
        NOT EXISTS (SELECT FROM {live}.inbox i WHERE (i.event_id, i.tenant) = (a.event_id, a.tenant)) AS unseen
    FROM (
        SELECT topic, part, off, tenant, event_id FROM {live}.parked_event WHERE reason <> 'replay'
        UNION ALL SELECT topic, part, off, tenant, event_id FROM {live}.dead_letter WHERE state <> 'retried'
    ) AS a
    """,
    "CREATE INDEX ON {rebuilt}.put_aside (topic, part, off)",
    "CREATE INDEX ON {rebuilt}.put_aside (event_id, tenant) WHERE unseen",
    "CREATE UNLOGGED TABLE {rebuilt}.put_aside_parked AS SELECT * FROM {live}.parked_event WHERE reason <> 'replay'",
    "CREATE UNLOGGED TABLE {rebuilt}.put_aside_dead AS SELECT * FROM {live}.dead_letter WHERE state <> 'retried'",
)
# Each of them was passed by in the fold.
_TAKE_OVER = (
    "INSERT INTO {rebuilt}.parked_event SELECT * FROM {rebuilt}.put_aside_parked",
    "INSERT INTO {rebuilt}.dead_letter SELECT * FROM {rebuilt}.put_aside_dead",
    """
    UPDATE {rebuilt}.consumer_offset o SET ignored = ignored - a.n
    FROM (SELECT topic, part, count(*) AS n FROM {rebuilt}.put_aside GROUP BY topic, part) AS a
    WHERE (o.topic, o.part) = (a.topic, a.part)
    """,
)
_AMONG = """
    SELECT off FROM {rebuilt}.put_aside WHERE (topic, part) = ($1, $2) AND off = any($3)
    UNION
    SELECT asked.off FROM unnest($3::bigint[], $4::uuid[], $5::text[]) AS asked (off, event_id, tenant)
    JOIN {rebuilt}.put_aside a USING (event_id, tenant) WHERE a.unseen
"""


@dataclass(frozen=True)
class Frozen:
    """One instant of a live service, kept in the schema where it is rebuilt."""

    rebuilt: str
    at: datetime
    positions: Mapping[tuple[str, int], int]
    put_aside: int

    async def without_put_aside(self, database: asyncpg.Connection, items: Sequence[Item]) -> list[Item]:
        """These records of one partition, those that were put aside as if the service did not listen to them."""
        raw = items[0].raw
        offsets = [item.raw.offset for item in items]
        events = [(item.id, item.tenant) if isinstance(item, Incoming) else (None, None) for item in items]
        rows = await database.fetch(
            _AMONG.format(rebuilt=self.rebuilt), raw.topic, raw.part, offsets, *map(list, zip(*events, strict=True))
        )
        aside = {row["off"] for row in rows}
        return [Foreign(item.raw) if item.raw.offset in aside else item for item in items]

    async def take_over(self, database: asyncpg.Connection) -> None:
        """After the fold: what was put aside waits, or lies, in the rebuilt schema as it does in the live one."""
        if self.put_aside:
            async with database.transaction():
                for statement in _TAKE_OVER:
                    await database.execute(statement.format(rebuilt=self.rebuilt))


async def freeze(database: asyncpg.Connection, live: str, rebuilt: str, *, comparing: bool) -> Frozen:
    """Keep what the service `live` is at this instant; only where it stands, unless it is to be compared."""
    async with database.transaction(isolation="repeatable_read"):
        # The first statement takes the snapshot, and reads the clock after it: what is visible was done before.
        at = await database.fetchval(_NOW)
        rows = await database.fetch(_POSITIONS.format(live=live))
        for statement in _GIVEN.get(live, ()):
            await database.execute(statement.format(rebuilt=rebuilt))
        put_aside = 0
        if comparing:
            for table, columns in folded(live).items():
                await database.execute(
                    _COPY.format(rebuilt=rebuilt, name=f"{LIVE}{table}", columns=selected(columns, live, at))
                )
            for statement in _PUT_ASIDE:
                await database.execute(statement.format(live=live, rebuilt=rebuilt))
            put_aside = await database.fetchval(f"SELECT count(*) FROM {rebuilt}.put_aside")  # noqa: S608
    return Frozen(rebuilt, at, {(row["topic"], row["part"]): row["next_offset"] for row in rows}, put_aside)
