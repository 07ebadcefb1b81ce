"""What the tests of the operator's commands share."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from deploy.database import bootstrap
from deploy.description import Description
from deploy.environment import SERVICES
from deploy.local.folder import StackFolder
from shared.db.migrate import migrate
from tests.integration.shared.conftest import spine
from tests.support.platform import run_treue
from tests.support.stack import Database, Parts

__all__ = ["books", "spine"]

NOBODY = "127.0.0.1:1"
NO_DATABASE = f"postgresql://treue@{NOBODY}/treue"


class Operator:
    """Runs commands on a stack that has these servers."""

    def __init__(self, home: Path, database_url: str, kafka_bootstrap: str) -> None:
        self._home = home
        Description("http://127.0.0.1:1", "t", "k", database_url, kafka_bootstrap).save(StackFolder(home))

    async def run(self, *arguments: str) -> tuple[int, Any, str]:
        done = await asyncio.to_thread(run_treue, self._home, *arguments)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
async def books(parts: Parts, database: Callable[[str], Awaitable[Database]]) -> Database:
    """All schemas in one database, empty."""
    made = await database("points")
    await bootstrap(made.admin, parts.stack.credentials.passwords, SERVICES)
    for service in SERVICES:
        await migrate(made.admin, service, import_module(f"services.{service}.bootstrap").PROCESS.migrations)
    return made


@pytest.fixture
def without_kafka(books: Database, tmp_path: Path) -> Operator:
    return Operator(tmp_path, books.admin, NOBODY)
