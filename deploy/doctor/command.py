"""The command: every check at the same time, each with a time limit of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import typer
from rich.table import Table

from deploy.doctor import books, log, machine, stack
from deploy.doctor.finding import Finding
from deploy.local.folder import StackFolder
from deploy.local.stack import LocalStack
from deploy.output import progress, show

_WITHIN_S = 3.0
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red", "unknown": "yellow"}
_BOOKS = (books.migrations, books.dead_letters, books.parked, books.outbox)
_OF_BOOKS = ("migrations", "dead letters", "parked events", "outbox", "clock")


def doctor() -> None:
    """Check this machine, the processes, the database, Kafka and the mail server, and say what to do next."""
    findings = asyncio.run(examined())
    table = Table("check", "", "", box=None)
    for each in findings:
        table.add_row(each.name, f"[{_COLOURS[each.state]}]{each.state}[/]", each.found)
        if each.next_step:
            table.add_row("", "", f"[bold]next:[/] {each.next_step}")
    show([each.as_json() for each in findings], table)
    if any(each.state == "fail" for each in findings):
        raise typer.Exit(1)


async def examined() -> list[Finding]:
    """What every check found."""
    of_machine = [asyncio.to_thread(check) for check in (
        machine.python, machine.java, machine.kafka, machine.postgres, machine.disk, machine.memory,
    )]  # fmt: skip
    if not StackFolder.chosen().path.exists():
        return [*await asyncio.gather(*of_machine), stack.processes([])]
    chosen = LocalStack.existing(progress())
    running = await asyncio.to_thread(chosen.supervisor.processes)
    of_database = asyncio.create_task(_of_database(chosen))
    found = await asyncio.gather(
        *of_machine,
        asyncio.to_thread(stack.ready, chosen, running),
        _in_time("mail server", lambda: stack.mail(chosen), "treue logs mail"),
        _in_time("topics", lambda: log.topics(chosen.addresses.kafka), "treue logs kafka"),
    )
    return [*found, stack.processes(running), stack.secrets(chosen), *await of_database]


async def _of_database(chosen: LocalStack) -> Sequence[Finding]:
    """All that the database tells, or why it does not."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            database = await asyncpg.connect(chosen.addresses.database, timeout=_WITHIN_S)
            try:
                told = await books.books(database)
                read, clock = await books.positions(database), await books.clock(database)
            finally:
                await database.close(timeout=1)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        why = f"the database does not answer: {error or type(error).__name__}"
        return [
            Finding("database", "fail", why, "treue logs postgres, then treue restart postgres"),
            *(Finding(name, "unknown", "the database does not answer") for name in (*_OF_BOOKS, "lag")),
        ]
    lag = await _in_time("lag", lambda: log.lag(chosen.addresses.kafka, read), "treue logs kafka")
    return [*(check(told) for check in _BOOKS), clock, lag]


async def _in_time(name: str, check: Callable[[], Awaitable[Finding]], next_step: str) -> Finding:
    try:
        async with asyncio.timeout(_WITHIN_S):
            return await check()
    except Exception as error:  # noqa: BLE001 - whatever keeps it from answering is what there is to say
        return Finding(name, "fail", f"it does not answer: {str(error) or type(error).__name__}", next_step)
