"""What an operator decides about dead letters, each in one transaction.

The worker may be trying the same event at this moment. Both lock the row of its partition and its parked row, in this
order, so one of them is first: what the worker has applied can no longer be given up, and what was given up is no
longer there for the worker. A parked row that `treue replay` brought back says nothing about a letter that was retried
before.

Somebody has looked: the partition may bury as many in a row as ever before it halts again (dead_letters.py).
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from deploy.environment import SERVICES

_TOLD_WITHIN_S = 2.0
_LOCK_PARTITIONS = """
    SELECT FROM {s}.consumer_offset WHERE (topic, part) IN (SELECT topic, part FROM {s}.dead_letter WHERE id = any($1))
    ORDER BY topic, part FOR UPDATE
"""
_LOCK = """
    SELECT FROM {s}.parked_event p JOIN {s}.dead_letter d USING (topic, part, off)
    WHERE d.id = any($1) ORDER BY topic, part, off FOR UPDATE OF p
"""
_COUNT_ANEW = """
    UPDATE {s}.consumer_offset SET consecutive_dead = 0 WHERE consecutive_dead > 0
        AND (topic, part) IN (SELECT topic, part FROM {s}.dead_letter WHERE id = any($1))
"""
_OPEN = "SELECT id FROM {s}.dead_letter WHERE state = 'open' ORDER BY topic, part, off"
_COUNT_OPEN = " UNION ALL ".join(
    f"SELECT '{service}' AS service, count(*) AS open FROM {service}.dead_letter WHERE state = 'open'"  # noqa: S608
    for service in SERVICES
)
# The event goes where the worker tries again by itself, in front of what waits behind it.
_RETRY = """
    WITH letter AS (
        UPDATE {s}.dead_letter d SET state = 'retried', resolved_at = clock_timestamp()
        WHERE id = any($1) AND (state = 'open' OR state = 'retried' AND EXISTS (
            SELECT FROM {s}.parked_event p
            WHERE (p.topic, p.part, p.off) = (d.topic, d.part, d.off) AND p.reason <> 'replay'))
        RETURNING *
    )
    INSERT INTO {s}.parked_event (topic, part, off, record_key, value, headers, record_time, tenant, event_id, reason,
        parked_at, tried_at)
    SELECT topic, part, off, record_key, value, headers, record_time, tenant,
        coalesce(event_id, '00000000-0000-0000-0000-000000000000'), 'retried by an operator', clock_timestamp(), 'epoch'
    FROM letter ON CONFLICT (topic, part, off) DO UPDATE SET reason = excluded.reason, tried_at = excluded.tried_at
    RETURNING off
"""
# A retried letter can be given up for as long as its event is still parked.
_DISCARD = """
    WITH gone AS (
        DELETE FROM {s}.parked_event p USING {s}.dead_letter d
        WHERE d.id = $1 AND (p.topic, p.part, p.off) = (d.topic, d.part, d.off)
            AND (d.state = 'open' OR d.state = 'retried' AND p.reason <> 'replay')
        RETURNING p.off
    )
    UPDATE {s}.dead_letter SET state = 'discarded', resolved_at = clock_timestamp()
    WHERE id = $1 AND (state = 'open' OR state = 'retried' AND EXISTS (SELECT FROM gone)) RETURNING id
"""


async def open_letters(database: asyncpg.Connection, service: str) -> list[UUID]:
    """Those that wait for a decision."""
    return [row["id"] for row in await database.fetch(_OPEN.format(s=service))]


async def open_by_service(database_url: str) -> dict[str, int] | None:
    """How many wait for a decision, of each service that has any. None when the database does not tell in time: whoever
    asks how things are wants an answer then, too."""
    try:
        async with asyncio.timeout(_TOLD_WITHIN_S):
            database = await asyncpg.connect(database_url)
            try:
                rows = await database.fetch(_COUNT_OPEN)
            finally:
                await database.close(timeout=_TOLD_WITHIN_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
    return {row["service"]: row["open"] for row in rows if row["open"]}


async def retry(database: asyncpg.Connection, service: str, letters: Sequence[UUID]) -> int:
    """Have the worker try these again; returns how many there were to try."""
    async with database.transaction():
        await _lock(database, service, letters)
        retried = len(await database.fetch(_RETRY.format(s=service), letters))
        if retried:
            await database.execute(_COUNT_ANEW.format(s=service), letters)
        return retried


async def discard(database: asyncpg.Connection, service: str, letter: UUID) -> bool:
    """Give it up for good. False when there is no such letter, or its event has had its effect."""
    async with database.transaction():
        await _lock(database, service, [letter])
        discarded = await database.fetchval(_DISCARD.format(s=service), letter) is not None
        if discarded:
            await database.execute(_COUNT_ANEW.format(s=service), [letter])
        return discarded


async def _lock(database: asyncpg.Connection, service: str, letters: Sequence[UUID]) -> None:
    for statement in (_LOCK_PARTITIONS, _LOCK):
        await database.execute(statement.format(s=service), letters)
