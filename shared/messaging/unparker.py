"""The unparker tries parked events again: key by key, each key in its order and in a transaction of its own.

What its handler refuses becomes a dead letter, or the one again that it was, and an operator decides anew. Beyond the
limit of dead letters the refused stay parked and are tried until a better release comes.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import Transaction, transaction
from shared.messaging import dead_letters, inbox, outbox
from shared.messaging.failures import Verdict, verdict
from shared.messaging.incoming import Application, Effects, Incoming, Item, RawRecord, Unreadable, headers_of, read
from shared.messaging.parked import REPLAY
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_POLL_S = 0.5
_KEYS_MAX = 50
_TOGETHER_MAX = 500

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
    WHERE record_key = $1 ORDER BY topic, part, off LIMIT $2 FOR UPDATE
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
_Place = tuple[str, int, int]


class StillWaitingError(Exception):
    """What an event waits for is not here yet; `in_front`: how many of its key were taken with it, before it."""

    def __init__(self, reason: str, in_front: int = 0) -> None:
        super().__init__(reason)
        self.in_front = in_front


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
        """Try each key whose turn it is; returns of how many something went through."""
        async with transaction(self._engine) as tx:
            keys = [row["record_key"] for row in await tx.raw.fetch(_READY_KEYS, _KEYS_MAX)]
        return sum([await self._try(key) for key in keys])

    async def _try(self, key: str) -> bool:
        """Try one key, and whether anything of it went through; when it still waits, say for what."""
        try:
            async with transaction(self._engine) as tx:
                await self._apply(tx, await self._take(tx, key, _TOGETHER_MAX))
        except StillWaitingError as waiting:
            if waiting.in_front:
                return await self._one_by_one(key)
            await self._note_tried(key, str(waiting))
            return False
        except Exception as error:
            if verdict(error) is Verdict.RETRY:
                raise
            return await self._one_by_one(key)
        return True

    async def _one_by_one(self, key: str) -> bool:
        """What did not go through together, each by itself, until one waits or is refused; whether any went through."""
        any_did = False
        try:
            while await self._try_first(key):
                any_did = True
        except StillWaitingError as waiting:
            await self._note_tried(key, str(waiting))
        except Exception as error:
            if verdict(error) is Verdict.RETRY:
                raise
            # Our own fault, or a rival's; the other keys must not wait for it.
            _log.exception("unparking_failed", key=key)
            await self._note_tried(key, f"failed: {type(error).__name__}: {error}"[:500])
        return any_did

    async def _try_first(self, key: str) -> bool:
        """Whether there was one, and it went through. A refused one is dealt with while its row is locked, so that
        nobody decides about it meanwhile."""
        async with transaction(self._engine) as tx:
            rows = await self._take(tx, key, 1)
            if not rows:
                return False
            try:
                async with tx.raw.transaction():
                    await self._apply(tx, rows)
            except StillWaitingError:
                raise
            except Exception as error:
                if verdict(error) is not Verdict.REFUSE:
                    raise
                await self._bury(tx, self._read(rows[0]), error)
                return False
        return True

    async def _bury(self, tx: Transaction, item: Item, error: Exception) -> None:
        if not isinstance(item, Incoming):
            raise error  # a record that is no event is kept without the service's help: this is our own fault
        if not await dead_letters.bury_again(tx, item.raw, type(error).__name__, str(error)):
            try:
                told = await dead_letters.bury(tx, item, error, blocks=self._application.blocks(item.event))
            except dead_letters.TooManyError as limit:
                raise StillWaitingError(f"refused: {limit}"[:500]) from limit
            await outbox.append(tx, [told])
        await tx.raw.execute(_DONE, *([one] for one in _place(item)))
        _log.error(
            "parked_event_refused", topic=item.raw.topic, part=item.raw.part, offset=item.raw.offset, exc_info=error
        )

    @staticmethod
    async def _take(tx: Transaction, key: str, count: int) -> Sequence[Any]:
        """The first parked events of a key, locked."""
        await tx.raw.execute(_LOCK_PARTITIONS, key)
        return list(await tx.raw.fetch(_TAKE, key, count))

    async def _apply(self, tx: Transaction, rows: Sequence[Any]) -> None:
        items = [self._read(row) for row in rows]
        replayed = {_place(item) for item, row in zip(items, rows, strict=True) if row["reason"] == REPLAY}
        for in_front, item in enumerate(items):
            # What an operator replayed unreadable has its dead letter, open or given up; a retried one gets it back.
            if not isinstance(item, Unreadable) or _place(item) in replayed:
                continue
            if not await dead_letters.bury_again(tx, item.raw, item.error, item.detail):
                raise StillWaitingError(f"unreadable: {item.detail}", in_front)
        seen = await inbox.sort(tx, [item for item in items if isinstance(item, Incoming)])
        effects = await self._application.apply(tx, seen.fresh) if seen.fresh else Effects()
        for event in seen.fresh:
            # What was folded behind one that waits must not count, so nothing of this try does.
            if effects.of(event.id).status == "waiting":
                raise StillWaitingError(effects.of(event.id).reason or "waiting", items.index(event))
        await inbox.record(tx, seen.fresh, effects)
        await inbox.record_conflicts(tx, seen.conflicts)
        await outbox.append(tx, effects.outgoing)
        await self._count(tx, seen, replayed)
        await dead_letters.close_applied(tx, [event.raw for event in seen.fresh if _place(event) in replayed])
        places = [_place(item) for item in items]
        await tx.raw.execute(_DONE, *([place[n] for place in places] for n in range(3)))

    def _read(self, row: Any) -> Item:
        key, headers = row["record_key"].encode(), headers_of(row["headers"])
        raw = RawRecord(row["topic"], row["part"], row["off"], key, row["value"], headers, row["record_time"])
        return read(raw, self._application.events.__contains__)

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
