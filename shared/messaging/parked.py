"""Parked events: they wait behind a dead letter of their key, or for something that is not known yet (a tenant's
programme, say), and are tried again in their order. While a key has a parked event, its later events park behind it.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import Transaction, transaction
from shared.messaging import inbox, outbox
from shared.messaging.failures import Verdict, verdict
from shared.messaging.incoming import Application, Effects, Incoming, RawRecord, headers_json, headers_of, read
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_POLL_S = 0.5
REPLAY = "replay"  # the reason of a record that an operator brings back from the topic
_KEYS_MAX = 50

_PARK = """
    INSERT INTO parked_event (topic, part, off, record_key, value, headers, record_time, tenant, event_id, reason,
        parked_at, tried_at)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11, $11) ON CONFLICT DO NOTHING
"""
# Keys whose turn it is: not behind an open dead letter, and not tried just now.
_READY_KEYS = """
    SELECT record_key FROM parked_event p
    WHERE tried_at < clock_timestamp() - interval '400 ms' AND NOT EXISTS (
        SELECT FROM dead_letter d WHERE d.record_key = p.record_key AND d.state = 'open' AND d.blocks_key)
    GROUP BY record_key ORDER BY min(tried_at) LIMIT $1
"""
_TAKE = """
    SELECT topic, part, off, record_key, value, headers, record_time, reason FROM parked_event
    WHERE record_key = $1 ORDER BY topic, part, off LIMIT 500 FOR UPDATE
"""
_DONE = "DELETE FROM parked_event p USING unnest($1::text[], $2::smallint[], $3::bigint[]) AS d (topic, part, off) \
    WHERE (p.topic, p.part, p.off) = (d.topic, d.part, d.off)"
_TRIED = (
    "UPDATE parked_event SET tried_at = clock_timestamp(), reason = $2 WHERE record_key = $1 AND reason <> 'replay'"
)
_COUNT = """
    UPDATE consumer_offset SET duplicates = duplicates + $3, conflicts = conflicts + $4 WHERE topic = $1 AND part = $2
"""


class _StillWaitingError(Exception):
    """What an event waits for is not here yet."""


async def park(tx: Transaction, events: Sequence[Incoming], reason: str) -> None:
    """Put these events aside; their offsets count as passed."""
    rows = [
        (
            e.raw.topic, e.raw.part, e.raw.offset, e.key, e.raw.value, headers_json(e.raw.headers), e.raw.timestamp,
            e.tenant, e.id, reason, tx.now,
        )
        for e in events
    ]  # fmt: skip
    if rows:
        await tx.raw.executemany(_PARK, rows)


class Unparker:
    """Tries parked events again, key by key, each key in its order."""

    def __init__(self, engine: AsyncEngine, application: Application) -> None:
        self._engine, self._application = engine, application

    async def run(self, stop: asyncio.Event) -> None:
        """Look every half second until told to stop."""
        while not stop.is_set():
            try:
                await self.try_all()
            except Exception as error:  # noqa: BLE001 - the edge of the process: judged, logged, tried again
                known = verdict(error) is not Verdict.REFUSE
                (_log.warning if known else _log.exception)(
                    "unparking_failed", error=f"{type(error).__name__}: {error}"
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=_POLL_S + random.random() / 4)  # noqa: S311 - jitter

    async def try_all(self) -> None:
        """Try each key whose turn it is, each in a transaction of its own."""
        async with transaction(self._engine) as tx:
            keys = [row["record_key"] for row in await tx.raw.fetch(_READY_KEYS, _KEYS_MAX)]
        for key in keys:
            try:
                async with transaction(self._engine) as tx:
                    await self._try(tx, key)
            except _StillWaitingError as waiting:
                await self._note_tried(key, str(waiting))
            except Exception as error:
                if verdict(error) is not Verdict.REFUSE:
                    raise
                _log.exception("parked_event_refused", key_hash=hash(key))
                await self._note_tried(key, f"refused: {type(error).__name__}: {error}"[:500])

    async def _try(self, tx: Transaction, key: str) -> None:
        rows = await tx.raw.fetch(_TAKE, key)
        items = [
            read(
                RawRecord(
                    row["topic"], row["part"], row["off"], row["record_key"].encode(), row["value"],
                    headers_of(row["headers"]), row["record_time"],
                ),
                self._application.events.__contains__,
            )
            for row in rows
        ]  # fmt: skip
        events = [item for item in items if isinstance(item, Incoming)]
        if len(events) < len(items):
            unreadable = next(item for item in items if not isinstance(item, Incoming))
            raise _StillWaitingError(f"unreadable: {getattr(unreadable, 'detail', 'not listened to')}")
        sorted_ = await inbox.sort(tx, events)
        effects = await self._application.apply(tx, sorted_.fresh) if sorted_.fresh else Effects()
        ready = leading(sorted_.fresh, effects)
        if len(ready) < len(sorted_.fresh):
            # What was folded behind the one that waits must not count, so nothing of this try does.
            raise _StillWaitingError(effects.of(sorted_.fresh[len(ready)].id).reason or "waiting")
        await inbox.record(tx, ready, effects)
        await inbox.record_conflicts(tx, sorted_.conflicts)
        await outbox.append(tx, effects.outgoing)
        replayed = {(row["topic"], row["part"], row["off"]) for row in rows if row["reason"] == REPLAY}
        await self._forget(tx, events, sorted_, replayed)

    async def _note_tried(self, key: str, reason: str) -> None:
        async with transaction(self._engine) as tx:
            await tx.raw.execute(_TRIED, key, reason.replace("\x00", ""))

    @staticmethod
    async def _forget(
        tx: Transaction, events: Sequence[Incoming], sorted_: inbox.Sorted, replayed: set[tuple[str, int, int]]
    ) -> None:
        """Take them out; the offset of one that turned out to be known is counted, unless it was passed before."""
        for event, counts in [(e, (1, 0)) for e in sorted_.duplicates] + [(e, (0, 1)) for e in sorted_.conflicts]:
            if (event.raw.topic, event.raw.part, event.raw.offset) not in replayed:
                await tx.raw.execute(_COUNT, event.raw.topic, event.raw.part, *counts)
        await tx.raw.execute(
            _DONE, [e.raw.topic for e in events], [e.raw.part for e in events], [e.raw.offset for e in events]
        )


def leading(events: Sequence[Incoming], effects: Effects) -> list[Incoming]:
    """The events in front of the first that must still wait."""
    ready: list[Incoming] = []
    for event in events:
        if effects.of(event.id).status == "waiting":
            break
        ready.append(event)
    return ready
