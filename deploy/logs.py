"""`treue logs`."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.folder import StackFolder
from deploy.local.log_files import last_lines
from deploy.output import show
from deploy.problems import OperatorError

_PAUSE_S = 0.3


def logs(
    name: Annotated[str, typer.Argument(help="A process, as `treue status` names it, or supervisord.")],
    lines: Annotated[int, typer.Option(min=0, help="How many of the last ones.")] = 50,
    follow: Annotated[bool, typer.Option(help="Go on with what comes.")] = False,
) -> None:
    """Show the log of a process."""
    folder = StackFolder.chosen()
    file = folder.log(name)
    if not file.exists():
        known = ", ".join(sorted(log.stem for log in folder.logs.glob("*.log")))
        raise OperatorError(f"There is no log of {name!r}.", f"There are logs of: {known or 'nothing yet'}.")
    last = last_lines(file, lines)
    show({"name": name, "file": str(file), "lines": last}, *last)
    if follow:
        for line in _following(file):
            show({"line": line}, line)


def _following(file: Path) -> Iterator[str]:
    """New lines as they come; begins anew when the supervisor has rotated the file."""
    position = file.stat().st_size
    while True:
        time.sleep(_PAUSE_S)
        size = file.stat().st_size if file.exists() else 0
        position = 0 if size < position else position
        if size > position:
            with file.open("rb") as log:
                log.seek(position)
                yield from log.read(size - position).decode(errors="replace").splitlines()
            position = size
