"""Brings every schema up to date: roles and schemas first, then each service's own migrations, side by side."""

import os
import subprocess
import sys

from deploy.environment import SERVICES
from deploy.local.folder import PROJECT
from deploy.local.service_environment import service_environment
from deploy.local.stack import LocalStack
from deploy.output import progress, show
from deploy.problems import OperatorError

_TIMEOUT_S = 600


def migrate() -> None:
    """Make roles and schemas where they are missing and run all migrations."""
    stack = LocalStack.existing(progress())
    stack.wait_for_database()
    migrate_services(stack)
    show({"migrated": list(SERVICES)}, f"Up to date: {', '.join(SERVICES)}.")


def migrate_services(stack: LocalStack) -> None:
    running = {service: _start(service, stack) for service in SERVICES}
    failures = {}
    for service, process in running.items():
        output, _ = process.communicate(timeout=_TIMEOUT_S)
        if process.returncode:
            failures[service] = output.strip()[-800:]
    for service, output in failures.items():
        raise OperatorError(
            f"The migrations of {service} failed:\n{output}",
            f"Mend that and run `treue migrate` again: what was migrated stays ({', '.join(failures)} did not).",
        )


def _start(service: str, stack: LocalStack) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", f"services.{service}", "migrate"],
        env=os.environ | _one_line(service_environment(service, stack.addresses)),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _one_line(environment: dict[str, str]) -> dict[str, str]:
    """As supervisord passes it on: one way of writing a PEM is enough to get wrong."""
    return {name: value.replace("\n", "\\n") for name, value in environment.items()}
