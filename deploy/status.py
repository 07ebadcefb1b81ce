"""`treue status`: the processes and whether they are ready, and what waits for the operator."""

import asyncio
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from deploy import letters
from deploy.description import Description
from deploy.local.readiness import addresses_by_process, own_readiness
from deploy.local.stack import LocalStack
from deploy.local.supervisor import ProcessState
from deploy.output import progress, show


def status() -> None:
    """Which processes run, since when, and whether they are ready; and how many dead letters are open."""
    stack = LocalStack.existing(progress())
    description = Description.required(stack.folder)
    processes = stack.supervisor.processes()
    urls = addresses_by_process(stack.addresses)
    running = {process.name: process.pid for process in processes if process.pid}
    answers = own_readiness({name: url for name, url in urls.items() if name in running}, running)
    rows = [_row(process, answers) for process in processes]
    known = {name: getattr(description, name) for name in ("base_url", "tenant", "kafka_bootstrap")}
    dead = asyncio.run(letters.open_by_service(description.database_url)) if running else None
    show(
        {"processes": rows, **known, "folder": str(stack.folder.path), "open_dead_letters": dead},
        *_for_people(rows, known, dead),
    )


def _row(process: ProcessState, answers: dict[str, str | None]) -> dict[str, Any]:
    """`ready` is null for a process that has no such thing: the servers."""
    row = asdict(process)
    if process.name in answers:
        problem = answers[process.name]
        return row | {"ready": problem is None, "note": problem or process.note}
    return row | {"ready": None}


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("process", "state", "ready", "pid", "up", "note", box=None)
    words = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}
    for row in rows:
        colour = "green" if row["state"] == "RUNNING" else "red"
        up = f"{row['uptime_s']} s" if row["pid"] else ""
        table.add_row(
            row["name"], f"[{colour}]{row['state']}[/]", words[row["ready"]], str(row["pid"] or ""), up, row["note"]
        )
    return table


def _for_people(rows: list[dict[str, Any]], known: dict[str, str], dead: dict[str, int] | None) -> list[RenderableType]:
    if not rows:
        return ["Nothing runs. Start it with `make up`."]
    return [_table(rows), "", ", ".join(f"{name}: {value}" for name, value in known.items()), *_letters(dead)]


def _letters(dead: dict[str, int] | None) -> list[str]:
    if dead is None:
        return ["[yellow]Whether dead letters are open is not known: the database does not tell.[/]"]
    return [
        f"[red]{count:,} dead letters of {service} are open[/]: `treue dead-letters list --service {service}`"
        for service, count in dead.items()
    ]
