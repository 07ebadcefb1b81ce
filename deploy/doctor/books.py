"""What the database tells: migrations, dead letters, parked events, the outbox, the consumers' positions, its clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory

from deploy.doctor.finding import Finding
from deploy.environment import SERVICES
from deploy.local.folder import PROJECT
from shared.clock import SystemClock

Positions = Mapping[tuple[str, int], int]

_OUTBOX_AGE_MAX_S = 60.0
_CLOCKS_APART_MAX_S = 1.0
_HAS = "SELECT to_regclass($1) IS NOT NULL"
_COUNTS = """
    SELECT (SELECT count(*) FROM {s}.dead_letter WHERE state = 'open') AS dead,
        (SELECT count(*) FROM {s}.parked_event) AS parked,
        (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float FROM {s}.outbox) AS outbox_age_s
"""


@dataclass(frozen=True)
class Book:
    """What one service's schema tells; `revision` is None where it has not been migrated."""

    service: str
    revision: str | None
    newest: str
    dead: int = 0
    parked: int = 0
    outbox_age_s: float | None = None


async def books(database: asyncpg.Connection) -> list[Book]:
    """All services', in their order."""
    return [await _book(database, service) for service in SERVICES]


async def positions(database: asyncpg.Connection) -> dict[str, Positions]:
    """Up to where each service has read, by service."""
    found: dict[str, Positions] = {}
    for service in SERVICES:
        if await database.fetchval(_HAS, f"{service}.consumer_offset"):
            query = f"SELECT topic, part, next_offset FROM {service}.consumer_offset"  # noqa: S608 - our own names
            found[service] = {(row["topic"], row["part"]): row["next_offset"] for row in await database.fetch(query)}
    return found


async def clock(database: asyncpg.Connection) -> Finding:
    """Whether this machine and the database agree on the time."""
    before = SystemClock().now()
    theirs: datetime = await database.fetchval("SELECT clock_timestamp()")
    middle = before + (SystemClock().now() - before) / 2
    return clock_finding((theirs - middle).total_seconds())


def clock_finding(apart_s: float) -> Finding:
    """The database's clock is so much ahead."""
    found = f"the database's clock is {abs(apart_s):.2f} s {'ahead' if apart_s >= 0 else 'behind'}"
    if abs(apart_s) > _CLOCKS_APART_MAX_S:
        return Finding("clock", "warn", found, "Let NTP set the clocks of both machines: timedatectl status")
    return Finding("clock", "ok", found)


def migrations(found: Sequence[Book]) -> Finding:
    """Whether every schema is as the code wants it."""
    behind = [f"{book.service} is at {book.revision or 'nothing'}, wants {book.newest}" for book in found
              if book.revision != book.newest]  # fmt: skip
    if behind:
        return Finding("migrations", "fail", "; ".join(behind), "treue migrate")
    return Finding("migrations", "ok", ", ".join(f"{book.service} {book.revision}" for book in found))


def dead_letters(found: Sequence[Book]) -> Finding:
    """What nobody could apply, and somebody must decide on."""
    wrong = [book for book in found if book.dead]
    if wrong:
        told = ", ".join(f"{book.dead:,} of {book.service}" for book in wrong)
        return Finding("dead letters", "fail", told, f"treue dead-letters list --service {wrong[0].service}")
    return Finding("dead letters", "ok", "none")


def parked(found: Sequence[Book]) -> Finding:
    """What waits for something that has not come."""
    waiting = [book for book in found if book.parked]
    if waiting:
        told = ", ".join(f"{book.parked:,} of {book.service}" for book in waiting)
        step = f"It is tried again by itself. If it stays: treue logs {waiting[0].service}-worker"
        return Finding("parked events", "warn", told, step)
    return Finding("parked events", "ok", "none")


def outbox(found: Sequence[Book]) -> Finding:
    """Whether what was decided is also told."""
    late = [book for book in found if (book.outbox_age_s or 0) > _OUTBOX_AGE_MAX_S]
    if late:
        told = ", ".join(f"{book.service}'s oldest has waited {book.outbox_age_s:.0f} s" for book in late)
        return Finding("outbox", "fail", told, f"treue logs {late[0].service}-worker")
    return Finding("outbox", "ok", "nothing waits for long")


async def _book(database: asyncpg.Connection, service: str) -> Book:
    newest = _newest(service)
    if not await database.fetchval(_HAS, f"{service}.migration"):
        return Book(service, None, newest)
    revision = await database.fetchval(f"SELECT version_num FROM {service}.migration")  # noqa: S608 - our own names
    if not await database.fetchval(_HAS, f"{service}.outbox"):
        return Book(service, revision, newest)
    row = await database.fetchrow(_COUNTS.format(s=service))
    return Book(service, revision, newest, row["dead"], row["parked"], row["outbox_age_s"])


def _newest(service: str) -> str:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "services" / service / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head() or ""
