"""`treue up` and `treue down`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from deploy.demo_tenant import ensure_demo_tenant
from deploy.description import Description
from deploy.local.bytecode import compile_code
from deploy.local.folder import StackFolder
from deploy.local.log_files import last_line
from deploy.local.ports import PREFERRED
from deploy.local.readiness import addresses_by_process, own_readiness
from deploy.local.stack import LocalStack
from deploy.local.supervisor import ProcessState
from deploy.migrations import migrate_services
from deploy.output import progress, show
from deploy.problems import OperatorError
from shared.clock import SystemClock

_READY_TIMEOUT_S = 180.0
# Each question makes a service look at its database and at Kafka, while it starts.
_PAUSE_S = 0.3


def up(
    port: Annotated[
        int, typer.Option(help="Where the gateway listens when this folder is new or the port is taken.")
    ] = 8080,
) -> None:
    """Start the whole platform and wait until everything answers. Safe to repeat."""
    stack = LocalStack.chosen(progress(), {**PREFERRED, "gateway": port})
    description = bring_up(stack, progress())
    show(description.as_json(), *_welcome(description))


def down() -> None:
    """Stop the platform. Its data stays."""
    if StackFolder.chosen().path.exists():
        stack = LocalStack.existing(progress())
        with stack.folder.alone(), _step(progress(), "Stopped"):
            stack.stop()
    show({"stopped": True})


def bring_up(stack: LocalStack, console: Console, owner: int | None = None) -> Description:
    with stack.folder.alone():
        with _step(console, "Servers started"):
            stack.launch(with_services=True, owner=owner)
            compile_code()
        with _step(console, "PostgreSQL answers"):
            stack.wait_for_database()
        with _step(console, "Schemas are up to date"):
            migrate_services(stack)
        with _step(console, "Kafka answers, topics are there"):
            stack.wait_for_kafka()
        with _step(console, "Services are ready"):
            start_services(stack)
        with _step(console, "Tenant demo is there"):
            description = ensure_demo_tenant(stack)
        description.save(stack.folder)
    return description


def start_services(stack: LocalStack) -> None:
    stack.supervisor.start(stack.service_names())
    wait_until_ready(stack)


def wait_until_ready(stack: LocalStack) -> None:
    """Until every process runs and every service has said that it is ready."""
    deadline = time.monotonic() + _READY_TIMEOUT_S
    asked = addresses_by_process(stack.addresses)
    while waiting := _not_running(processes := stack.supervisor.processes()) | (
        answers := _not_ready(asked, processes)
    ):
        asked = {name: url for name, url in asked.items() if name in answers}
        if time.monotonic() > deadline:
            name, reason = next(iter(waiting.items()))
            raise OperatorError(
                f"{', '.join(waiting)} did not get ready in {_READY_TIMEOUT_S:.0f} s. {name}: {reason}",
                f"Its last words: {last_line(stack.folder.log(name))!r}. See `treue status` and `treue logs {name}`.",
            )
        time.sleep(_PAUSE_S)


def _not_running(processes: list[ProcessState]) -> dict[str, str]:
    return {process.name: f"{process.state} {process.note}" for process in processes if process.state != "RUNNING"}


def _not_ready(asked: dict[str, str], processes: list[ProcessState]) -> dict[str, str]:
    pids = {process.name: process.pid for process in processes}
    return {name: problem for name, problem in own_readiness(asked, pids).items() if problem is not None}


@contextmanager
def _step(console: Console, done: str) -> Iterator[None]:
    start = time.monotonic()
    with console.status(f"{done} ..."):
        yield
    console.print(f"[green]ok[/] {done} [dim]({time.monotonic() - start:.1f} s)[/]")


def _welcome(description: Description) -> list[str]:
    key, url = description.api_key, description.base_url
    bought_at = SystemClock().now() - timedelta(minutes=1)
    order = f"{bought_at:%m%d-%H%M}"
    profile = '{"email": "ada@example.org", "name": "Ada", "locale": "de-DE"}'
    purchase = (
        f'{{"order_id": "o-{order}", "customer_id": "ada", "occurred_at": "{bought_at:%Y-%m-%dT%H:%M:%SZ}",'
        ' "currency": "EUR", "total": "49.90",'
        ' "lines": [{"line_id": "1", "sku": "mug", "quantity": 1, "unit_price": "49.90"}]}'
    )
    send = f"curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
    return [
        "",
        f"[bold]Treue answers at {url}[/] (its API: {url}/docs). API key of the tenant {description.tenant}:",
        f"  {key}",
        "",
        "Try a customer, a purchase, the balance, and the mail that was sent:",
        f"  {send} -X PUT {url}/v1/customers/ada -d '{profile}'",
        f"  {send} -H 'Idempotency-Key: {order}' {url}/v1/purchases -d '{purchase}'",
        f"  curl -H 'Authorization: Bearer {key}' {url}/v1/customers/ada/balance",
        "  .venv/bin/treue mails",
    ]
