"""Real PostgreSQL, Kafka and mail for a test run: the code of `make up`, in a temporary folder, on free ports."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.chaos.victim import suspended
from deploy.database import bootstrap, create_database, drop_database
from deploy.local.addresses import HOST
from deploy.local.folder import StackFolder
from deploy.local.mailbox import mails
from deploy.local.stack import LocalStack
from deploy.roles import app_role, database_url, owner_role, role_url
from shared.ids import new_id


class Parts:
    """The servers that the services need."""

    def __init__(self, folder: Path) -> None:
        self.console = Console(stderr=True)
        self.stack = LocalStack(StackFolder(folder), self.console, preferred={})

    def start(self) -> None:
        self.stack.launch(with_services=False, owner=os.getpid())
        self.stack.wait_for_database()
        self.stack.wait_for_kafka()

    def stop(self) -> None:
        self.stack.stop()
        shutil.rmtree(self.stack.folder.data)

    @property
    def database_url(self) -> str:
        """The database `treue` by its administrator."""
        return self.stack.addresses.database

    @property
    def kafka_bootstrap(self) -> str:
        return self.stack.addresses.kafka

    @property
    def smtp_host(self) -> str:
        return HOST

    @property
    def smtp_port(self) -> int:
        return self.stack.port("mail")

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """The server stands still, as by SIGSTOP, with all its processes, while the block runs."""
        pid = next(process.pid for process in self.stack.supervisor.processes() if process.name == name)
        assert pid is not None, f"{name} does not run"
        with suspended(pid):
            yield

    def mails(self) -> list[dict[str, Any]]:
        return mails(self.stack.folder)


@dataclass(frozen=True)
class Database:
    """A database of its own for one service: its schema is there and empty. The URLs are those of the three roles."""

    name: str
    admin: str
    owner: str
    app: str

    async def drop(self) -> None:
        await drop_database(database_url(self.admin, "postgres"), self.name)


async def fresh_database(parts: Parts, service: str) -> Database:
    name = f"test_{service}_{new_id().hex}"
    admin = database_url(parts.database_url, name)
    passwords = parts.stack.credentials.passwords
    await create_database(parts.database_url, name)
    await bootstrap(admin, passwords, (service,))
    owner, app = owner_role(service), app_role(service)
    return Database(name, admin, role_url(admin, owner, passwords[owner]), role_url(admin, app, passwords[app]))
