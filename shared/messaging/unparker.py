"""The unparker tries parked events again: key by key, each key in its order and in a transaction of its own."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import Transaction, transaction
from shared.messaging import inbox, outbox
from shared.messaging.failures import Verdict, verdict
from shared.messaging.incoming import Application, Effects, Incoming, Item, RawRecord, Unreadable, headers_of, read
from shared.messaging.parked import REPLAY
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_POLL_S = 0.5
_KEYS_MAX = 50

# Keys whose turn it is: not behind an open dead letter, and not tried just now.
_READY_KEYS = """
    SELECT record_key FROM parked_event p
    WHERE tried_at < clock_timestamp() - interval '400 ms' AND NOT EXISTS (
        SELECT FROM dead_letter d WHERE d.record_key = p.record_key AND d.state = 'open' AND d.blocks_key)
    GROUP BY record_key ORDER BY min(tried_at) LIMIT $1
"""
# First of all locks, as in posting: the rows of the partitions whose counts may have to be raised at the end.
_LOCK_PARTITIONS = """
    SELECT FROM consumer_offset o
    WHERE (topic, part) IN (SELECT topic, part FROM parked_event WHERE record_key = $1) ORDER BY topic, part FOR UPDATE
"""
_TAKE = """
    SELECT topic, part, off, record_key, value, headers, record_time, reason FROM parked_event
    WHERE record_key = $1 ORDER BY topic, part, off LIMIT 500 FOR UPDATE
"""
_DONE = """
    DELETE FROM parked_event p USING unnest($1::text[], $2::smallint[], $3::bigint[]) AS d (topic, part, off)
    WHERE (p.topic, p.part, p.off) = (d.topic, d.part, d.off)
"""
_TRIED = """
    UPDATE parked_event SET tried_at = clock_timestamp(), reason = CASE WHEN reason = $3 THEN reason ELSE $2 END
    WHERE record_key = $1
"""
_COUNT = """
    UPDATE consumer_offset SET duplicates = duplicates + $3, conflicts = conflicts + $4 WHERE topic = $1 AND part = $2
"""
_REOPEN = """
    UPDATE dead_letter SET state = 'open', resolved_at = NULL, detail = $4
    WHERE topic = $1 AND part = $2 AND off = $3 AND state = 'retried' RETURNING true
"""
_Place = tuple[str, int, int]


class StillWaitingError(Exception):
    """What an event waits for is not here yet."""


class Unparker:
    """Works the parked events of one service's schema. Several may run side by side."""

    def __init__(self, engine: AsyncEngine, application: Application) -> None:
        self._engine, self._application = engine, application

    async def run(self, stop: asyncio.Event) -> None:
        """Look every half second until told to stop."""
        while not stop.is_set():
            try:
                while await self.try_all() == _KEYS_MAX and not stop.is_set():
                    pass
            except Exception as error:  # noqa: BLE001 - the edge of the process: judged, logged, tried again
                known = verdict(error) is not Verdict.REFUSE
                (_log.warning if known else _log.exception)(
                    "unparking_failed", error=f"{type(error).__name__}: {error}"
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=_POLL_S + random.random() / 4)  # noqa: S311 - jitter

    async def try_all(self) -> int:
        """Try each key whose turn it is; returns how many went through."""
        async with transaction(self._engine) as tx:
            keys = [row["record_key"] for row in await tx.raw.fetch(_READY_KEYS, _KEYS_MAX)]
        return sum([await self._try(key) for key in keys])

    async def _try(self, key: str) -> bool:
        """Try one key; when it still waits, say for what."""
        try:
            async with transaction(self._engine) as tx:
                await tx.raw.execute(_LOCK_PARTITIONS, key)
                await self._apply(tx, await tx.raw.fetch(_TAKE, key))
        except StillWaitingError as waiting:
            await self._note_tried(key, str(waiting))
        except Exception as error:
            if verdict(error) is not Verdict.REFUSE:
                raise
            _log.exception("parked_event_refused")
            await self._note_tried(key, f"refused: {type(error).__name__}: {error}"[:500])
        else:
            return True
        return False

    async def _apply(self, tx: Transaction, rows: Sequence[Any]) -> None:
        items = [self._read(row) for row in rows]
        replayed = {_place(item) for item, row in zip(items, rows, strict=True) if row["reason"] == REPLAY}
        for item in items:
            # What an operator replayed unreadable has its dead letter, open or given up; a retried one gets it back.
            if isinstance(item, Unreadable) and _place(item) not in replayed and not await self._reopen(tx, item):
                raise StillWaitingError(f"unreadable: {item.detail}")
        seen = await inbox.sort(tx, [item for item in items if isinstance(item, Incoming)])
        effects = await self._application.apply(tx, seen.fresh) if seen.fresh else Effects()
        for event in seen.fresh:
            # What was folded behind one that waits must not count, so nothing of this try does.
            if effects.of(event.id).status == "waiting":
                raise StillWaitingError(effects.of(event.id).reason or "waiting")
        await inbox.record(tx, seen.fresh, effects)
        await inbox.record_conflicts(tx, seen.conflicts)
        await outbox.append(tx, effects.outgoing)
        await self._count(tx, seen, replayed)
        places = [_place(item) for item in items]
        await tx.raw.execute(_DONE, *([place[n] for place in places] for n in range(3)))

    def _read(self, row: Any) -> Item:
        key, headers = row["record_key"].encode(), headers_of(row["headers"])
        raw = RawRecord(row["topic"], row["part"], row["off"], key, row["value"], headers, row["record_time"])
        return read(raw, self._application.events.__contains__)

    @staticmethod
    async def _reopen(tx: Transaction, item: Unreadable) -> bool:
        """A letter that is no better than before is open again, and blocks nobody. False when there is none."""
        return bool(await tx.raw.fetchval(_REOPEN, *_place(item), item.detail.replace("\x00", "\\x00")[:2000]))

    @staticmethod
    async def _count(tx: Transaction, seen: inbox.Sorted, replayed: set[_Place]) -> None:
        """The offset of one that turned out to be known leaves a count, unless it left its trace before."""
        for event, counts in [(e, (1, 0)) for e in seen.duplicates] + [(e, (0, 1)) for e in seen.conflicts]:
            if _place(event) not in replayed:
                await tx.raw.execute(_COUNT, event.raw.topic, event.raw.part, *counts)

    async def _note_tried(self, key: str, reason: str) -> None:
        async with transaction(self._engine) as tx:
            await tx.raw.execute(_TRIED, key, reason.replace("\x00", ""), REPLAY)


def _place(item: Item) -> _Place:
    return item.raw.topic, item.raw.part, item.raw.offset
