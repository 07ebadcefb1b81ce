"""`treue scale`: how many worker processes a service has."""

from typing import Annotated

import typer

from deploy.environment import SERVICES
from deploy.local.stack import LocalStack
from deploy.output import progress, show
from deploy.problems import OperatorError
from deploy.up import start_services

# More workers than partitions would have nothing to do.
_WORKERS_MAX = 6


def scale(
    counts: Annotated[list[str], typer.Argument(metavar="SERVICE=COUNT...", help="For example points=3 metrics=2.")],
) -> None:
    """Change the number of workers, at once and for later starts. The others keep running."""
    wanted = dict(_count(text) for text in counts)
    stack = LocalStack.existing(progress())
    with stack.folder.alone():
        stack.choices.with_workers(wanted).save(stack.folder)
        if stack.supervisor.is_running():
            stack.reconfigure()
            start_services(stack)
    workers = {service: stack.choices.workers.get(service, 1) for service in SERVICES}
    show({"workers": workers}, ", ".join(f"{service}: {count}" for service, count in workers.items()))


def _count(text: str) -> tuple[str, int]:
    service, _, number = text.partition("=")
    if service not in SERVICES or not number.isdecimal() or not 1 <= int(number) <= _WORKERS_MAX:
        raise OperatorError(
            f"{text!r} is not SERVICE=COUNT.",
            f"SERVICE is one of {', '.join(SERVICES)}; COUNT is 1 to {_WORKERS_MAX}, the partitions of a topic.",
        )
    return service, int(number)
