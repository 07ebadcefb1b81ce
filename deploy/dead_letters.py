"""`treue dead-letters`: what could not be applied, and what waits behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID

import asyncpg
import typer
from rich.table import Table

from deploy import letters
from deploy.connections import administrator
from deploy.description import Description
from deploy.local.folder import StackFolder
from deploy.output import progress, show
from deploy.problems import OperatorError

T = TypeVar("T")
app = typer.Typer(help="Events that could not be applied.", no_args_is_help=True)


class Service(StrEnum):
    """The services that consume events."""

    GATEWAY = "gateway"
    POINTS = "points"
    NOTIFICATIONS = "notifications"
    METRICS = "metrics"


_LISTED_MAX = 1000
# A retried letter whose event is still parked is told by the parked event, with the letter's id.
_LIST = """
    SELECT id::text, 'dead' AS kind, state, topic, part, off, record_key, error, detail, created_at,
        (SELECT count(*) FROM {s}.parked_event p WHERE p.record_key = d.record_key) AS behind
    FROM {s}.dead_letter d WHERE state = 'open' OR $1
    UNION ALL
    SELECT d.id::text, 'parked', coalesce(d.state, 'waiting'), p.topic, p.part, p.off, p.record_key, p.reason,
        coalesce(d.error || ': ' || d.detail, ''), p.parked_at, 0
    FROM {s}.parked_event p LEFT JOIN {s}.dead_letter d
        ON (d.topic, d.part, d.off, d.state) = (p.topic, p.part, p.off, 'retried') AND p.reason <> 'replay'
"""
# The oldest come first: they are in the way of others.
_OLDEST = (
    "SELECT *, count(*) OVER () AS of FROM ({listed}) AS listed ORDER BY created_at, topic, part, off LIMIT {most}"
)
_SHOW = """
    SELECT d.*, p.reason AS parked_for, p.tried_at FROM {s}.dead_letter d
    LEFT JOIN {s}.parked_event p USING (topic, part, off) WHERE d.id = $1
"""

ServiceOption = Annotated[Service, typer.Option("--service", help="Whose dead letters.")]


@app.command("list")
def list_(
    service: ServiceOption = Service.POINTS,
    resolved: Annotated[bool, typer.Option("--all", help="Also those that were retried or discarded.")] = False,
) -> None:
    """Dead letters, and the events that wait behind them."""
    query = _OLDEST.format(listed=_LIST.format(s=service.value), most=_LISTED_MAX)
    rows = [dict(row) for row in _ask(lambda db: db.fetch(query, resolved))]
    left_out = max((row.pop("of") for row in rows), default=0) - len(rows)
    columns = ("id", "kind", "state", "topic", "part", "off", "record_key", "error", "detail", "behind")
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(str("" if row[name] is None else row[name])[:80] for name in columns))
    show(rows, table if rows else "No dead letters, and nothing waits.")
    if left_out:
        progress().print(f"{left_out:,} more are not listed: these are the oldest.", style="yellow", highlight=False)


@app.command("show")
def show_(letter: UUID, service: ServiceOption = Service.POINTS) -> None:
    """One dead letter with its bytes, headers and the reason."""
    row = _ask(lambda db: db.fetchrow(_SHOW.format(s=service.value), letter))
    if row is None:
        raise OperatorError(
            f"{service.value} knows no dead letter {letter}.",
            f"`treue dead-letters list --all --service {service.value}` lists them.",
        )
    found = {**dict(row), "value": (row["value"] or b"").decode("utf-8", "backslashreplace")}
    show(found, *(f"{name}: {value}" for name, value in found.items()))


@app.command()
def retry(
    letter: Annotated[UUID | None, typer.Argument(help="Which one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open ones.")] = False,
    service: ServiceOption = Service.POINTS,
) -> None:
    """Try again, in front of what waits behind it. The worker does it within a second; doing it twice is harmless."""
    if (letter is None) is not every:
        raise OperatorError("Which dead letters?", "Give the id of one, or --all.")

    async def again(db: asyncpg.Connection) -> int:
        ids = [letter] if letter else await letters.open_letters(db, service.value)
        return await letters.retry(db, service.value, ids)

    retried = _ask(again)
    if not retried and letter is not None:
        raise _not_open(letter, service)
    told = f"{retried} events will be tried again now; `treue dead-letters list --service {service.value}` tells."
    show({"retried": retried}, told if retried else f"{service.value} has no open dead letters.")


@app.command()
def discard(letter: UUID, service: ServiceOption = Service.POINTS) -> None:
    """Give an event up for good: it stays on record, and what waits behind it goes on without it."""
    if not _ask(lambda db: letters.discard(db, service.value, letter)):
        raise _not_open(letter, service)
    show({"discarded": str(letter)}, f"{letter} is given up; it stays on record.")


def _not_open(letter: UUID, service: Service) -> OperatorError:
    return OperatorError(
        f"{service.value} has no open dead letter {letter}: it is unknown, given up, or has had its effect.",
        f"`treue dead-letters list --service {service.value}` tells.",
    )


def _ask(work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Do something on the stack's database as its administrator."""

    async def connected() -> T:
        async with administrator(Description.required(StackFolder.chosen()).database_url) as connection:
            return await work(connection)

    return asyncio.run(connected())
