"""The stack that is measured, and which core its processes run on."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console

from deploy.database import bootstrap, create_database, drop_database
from deploy.description import Description
from deploy.local.folder import PROJECT, StackFolder
from deploy.local.stack import LocalStack
from deploy.roles import app_role, database_url, owner_role, role_url
from deploy.up import bring_up
from shared.db.migrate import migrate
from shared.ids import new_id

# The limits are no part of what is measured: one key brings here what a chain of shops brings.
_LIMITS = ("RATE_PER_S", "RATE_BURST", "TENANT_RATE_PER_S", "TENANT_RATE_BURST")
_UNLIMITED = {f"GATEWAY_{name}": "1e9" for name in _LIMITS}
ALL_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = [ALL_CORES[0]], [ALL_CORES[-1]]


@dataclass(frozen=True)
class Database:
    """A service's schema in a database of its own, by its three roles."""

    name: str
    admin: str
    owner: str
    app: str


class Machine:
    """A stack in a temporary folder, on free ports."""

    def __init__(self, stack: LocalStack, console: Console) -> None:
        self.stack, self.console = stack, console
        self.description: Description | None = None

    @property
    def kafka(self) -> str:
        return self.stack.addresses.kafka

    def pid(self, name: str) -> int:
        found = next(process.pid for process in self.stack.supervisor.processes() if process.name == name)
        if found is None:
            raise RuntimeError(f"{name} does not run")
        return found

    def stop(self, *names: str) -> None:
        self.stack.supervisor.stop(names)

    def start(self, *names: str) -> None:
        self.stack.supervisor.start(names)

    def pin(self, on_server_core: Iterable[int]) -> None:
        """These processes have the first core for themselves; everything else of the stack has the last one."""
        alone = set(on_server_core)
        for process in self.stack.supervisor.processes():
            if process.pid is not None:
                pin(process.pid, SERVER_CORE if process.pid in alone else LOAD_CORE)

    def unpin(self) -> None:
        for process in self.stack.supervisor.processes():
            if process.pid is not None:
                pin(process.pid, ALL_CORES)

    @contextlib.contextmanager
    def database(self, service: str) -> Iterator[Database]:
        """A fresh database with the service's tables, dropped at the end."""
        made = asyncio.run(self._fresh(service))
        try:
            yield made
        finally:
            asyncio.run(drop_database(database_url(made.admin, "postgres"), made.name))

    async def _fresh(self, service: str) -> Database:
        name = f"bench_{service}_{new_id().hex}"
        admin = database_url(self.stack.addresses.database, name)
        passwords = self.stack.credentials.passwords
        await create_database(self.stack.addresses.database, name)
        await bootstrap(admin, passwords, (service,))
        owner, app = owner_role(service), app_role(service)
        database = Database(name, admin, role_url(admin, owner, passwords[owner]), role_url(admin, app, passwords[app]))
        await migrate(database.owner, service, PROJECT / "services" / service / "migrations")
        return database


@contextlib.contextmanager
def servers(console: Console) -> Iterator[Machine]:
    """PostgreSQL and Kafka alone."""
    with _stack(console) as machine:
        machine.stack.launch(with_services=False, owner=os.getpid())
        machine.stack.wait_for_database()
        machine.stack.wait_for_kafka()
        yield machine


@contextlib.contextmanager
def platform(console: Console) -> Iterator[Machine]:
    """All services, with a tenant."""
    os.environ.update(_UNLIMITED)
    with _stack(console) as machine:
        machine.description = bring_up(machine.stack, console, owner=os.getpid())
        yield machine


@contextlib.contextmanager
def _stack(console: Console) -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="treue-bench-"))
    stack = LocalStack(StackFolder(folder), console, preferred={})
    try:
        yield Machine(stack, console)
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


def pin(pid: int, cores: list[int]) -> None:
    """All threads of a process and of those below it; what they start later inherits it."""
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            for thread in process.threads():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(thread.id, cores)


@contextlib.contextmanager
def on_load_core() -> Iterator[None]:
    """This process, and what it starts meanwhile, leaves the first core alone."""
    os.sched_setaffinity(0, LOAD_CORE)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ALL_CORES)
