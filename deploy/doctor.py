"""`treue doctor`: what this machine has, and what is wrong with it, before or after a start."""

import shutil
import sys
from collections.abc import Callable

import typer
from rich.table import Table

from deploy.local.folder import StackFolder
from deploy.local.jars import kafka_jars
from deploy.local.java import find_java
from deploy.local.postgres import postgres_command
from deploy.local.supervisor import Supervisor
from deploy.output import progress, show
from deploy.problems import OperatorError

_DISK_FREE_MIN = 2 * 1024**3


def doctor() -> None:
    """Check everything that `make up` needs, and the platform if it runs."""
    checks = {
        "python": _python,
        "disk": _disk,
        "java": lambda: str(find_java()),
        "kafka": lambda: str(kafka_jars(progress())),
        "postgres": lambda: postgres_command()[-1],
        "processes": _processes,
    }
    results = {name: _outcome(check) for name, check in checks.items()}
    table = Table("check", "", "", box=None)
    for name, result in results.items():
        table.add_row(name, "[green]ok[/]" if result["ok"] else "[red]no[/]", str(result["found"]))
    show(results, table)
    if not all(result["ok"] for result in results.values()):
        raise typer.Exit(1)


def _outcome(check: Callable[[], str]) -> dict[str, str | bool]:
    try:
        return {"ok": True, "found": check()}
    except OperatorError as problem:
        return {"ok": False, "found": str(problem)}


def _python() -> str:
    return sys.version.split()[0]


def _disk() -> str:
    folder = StackFolder.chosen().path
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    text = f"{free / 1024**3:.1f} GB free for {folder}"
    if free < _DISK_FREE_MIN:
        raise OperatorError(f"Only {text}.", "Make room, or set TREUE_HOME to a folder on another disk.")
    return text


def _processes() -> str:
    processes = Supervisor(StackFolder.chosen()).processes()
    wrong = [f"{process.name} is {process.state} {process.note}" for process in processes if process.state != "RUNNING"]
    if wrong:
        raise OperatorError("; ".join(wrong) + ".", "See `treue logs` of that process.")
    return f"{len(processes)} running" if processes else "none running"
