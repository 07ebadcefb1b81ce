"""`treue restart`: new code, new processes."""

from typing import Annotated

import typer

from deploy.local.stack import LocalStack
from deploy.output import progress, show
from deploy.problems import OperatorError
from deploy.up import wait_until_ready


def restart(
    names: Annotated[list[str] | None, typer.Argument(help="Processes; without any, all of the services.")] = None,
) -> None:
    """Stop and start processes and wait until they are ready."""
    stack = LocalStack.existing(progress())
    known = [process.name for process in stack.supervisor.processes()]
    wanted = names or stack.service_names()
    for name in wanted:
        if name not in known:
            raise OperatorError(
                f"There is no process {name!r}.", f"There are: {', '.join(known) or 'none, see make up'}."
            )
    with stack.folder.alone():
        stack.supervisor.stop(wanted)
        stack.supervisor.start(wanted)
        wait_until_ready(stack)
    show({"restarted": wanted}, f"Restarted: {', '.join(wanted)}.")
