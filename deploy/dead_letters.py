"""`treue dead-letters`: what could not be applied, and what waits behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from uuid import UUID

import asyncpg
import typer
from rich.table import Table

from deploy.description import Description
from deploy.local.folder import StackFolder
from deploy.output import show
from deploy.problems import OperatorError

T = TypeVar("T")
app = typer.Typer(help="Events that could not be applied.", no_args_is_help=True)


class Service(StrEnum):
    """The services that consume events."""

    GATEWAY = "gateway"
    POINTS = "points"
    NOTIFICATIONS = "notifications"
    METRICS = "metrics"


_LIST = """
    SELECT id::text, 'dead' AS kind, state, topic, part, off, record_key, error, detail, created_at,
        (SELECT count(*) FROM {s}.parked_event p WHERE p.record_key = d.record_key) AS behind
    FROM {s}.dead_letter d WHERE state = 'open' OR $1
    UNION ALL
    SELECT NULL, 'parked', 'waiting', topic, part, off, record_key, reason, '', parked_at, 0
    FROM {s}.parked_event ORDER BY created_at LIMIT 1000
"""
_SHOW = "SELECT * FROM {s}.dead_letter WHERE id = $1"
# The event goes where the worker tries again by itself, in front of what waits behind it.
_RETRY = """
    WITH letter AS (
        UPDATE {s}.dead_letter SET state = 'retried', resolved_at = clock_timestamp()
        WHERE id = any($1) AND state = 'open' RETURNING *
    )
    INSERT INTO {s}.parked_event (topic, part, off, record_key, value, headers, record_time, tenant, event_id, reason,
        parked_at, tried_at)
    SELECT topic, part, off, record_key, value, headers, record_time, tenant,
        coalesce(event_id, '00000000-0000-0000-0000-000000000000'), 'retried by an operator', clock_timestamp(), 'epoch'
    FROM letter ON CONFLICT DO NOTHING RETURNING topic, part, off
"""
_DISCARD = """
    UPDATE {s}.dead_letter SET state = 'discarded', resolved_at = clock_timestamp()
    WHERE id = $1 AND state = 'open' RETURNING id
"""
_OPEN = "SELECT id FROM {s}.dead_letter WHERE state = 'open'"

ServiceOption = Annotated[Service, typer.Option("--service", help="Whose dead letters.")]


@app.command("list")
def list_(
    service: ServiceOption = Service.POINTS,
    resolved: Annotated[bool, typer.Option("--all", help="Also those that were retried or discarded.")] = False,
) -> None:
    """Dead letters, and the events that wait behind them."""
    rows = _ask(lambda db: db.fetch(_LIST.format(s=service.value), resolved))
    columns = ("id", "kind", "state", "topic", "part", "off", "record_key", "error", "detail", "behind")
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(str("" if row[name] is None else row[name])[:80] for name in columns))
    show([dict(row) for row in rows], table if rows else "No dead letters, and nothing waits.")


@app.command("show")
def show_(letter: UUID, service: ServiceOption = Service.POINTS) -> None:
    """One dead letter with its bytes, headers and the reason."""
    row = _ask(lambda db: db.fetchrow(_SHOW.format(s=service.value), letter))
    if row is None:
        raise _unknown(letter, service)
    found = {**dict(row), "value": (row["value"] or b"").decode("utf-8", "backslashreplace")}
    show(found, *(f"{name}: {value}" for name, value in found.items()))


@app.command()
def retry(
    letter: Annotated[UUID | None, typer.Argument(help="Which one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open ones.")] = False,
    service: ServiceOption = Service.POINTS,
) -> None:
    """Try again, in front of what waits behind it. The worker does it within a second; doing it twice is harmless."""

    async def again(db: asyncpg.Connection) -> list[Any]:
        ids = [row["id"] for row in await db.fetch(_OPEN.format(s=service.value))] if every else [letter]
        return list(await db.fetch(_RETRY.format(s=service.value), [each for each in ids if each]))

    rows = _ask(again)
    if not rows and not every:
        raise _unknown(letter, service)
    show({"retried": len(rows)}, f"{len(rows)} events will be tried again now; `treue dead-letters list` tells.")


@app.command()
def discard(letter: UUID, service: ServiceOption = Service.POINTS) -> None:
    """Give an event up for good: it stays on record, and what waits behind it goes on without it."""
    if _ask(lambda db: db.fetchval(_DISCARD.format(s=service.value), letter)) is None:
        raise _unknown(letter, service)
    show({"discarded": str(letter)}, f"{letter} is given up; it stays on record.")


def _unknown(letter: UUID | None, service: Service) -> OperatorError:
    return OperatorError(
        f"{service.value} has no open dead letter {letter}.",
        f"`treue dead-letters list --service {service.value}` tells.",
    )


def _ask(work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Do something on the stack's database as its administrator."""

    async def connected() -> T:
        try:
            connection = await asyncpg.connect(Description.required(StackFolder.chosen()).database_url, timeout=10)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise OperatorError(f"The database does not answer: {error}.", "Is it up? `treue status` tells.") from error
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())
