"""A stack that is hurt: what can be done to its processes and sessions."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

import asyncpg
import psutil

from deploy.local.folder import PROJECT
from deploy.local.service_environment import service_environment
from deploy.local.stack import LocalStack
from deploy.problems import OperatorError

T = TypeVar("T")
_WITHIN_S: Final = 90.0
_SESSIONS: Final = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'treue-%'
"""


@contextlib.contextmanager
def suspended(pid: int) -> Iterator[None]:
    """This process and its children stand still while the block runs."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


async def end_sessions(database_url: str, pauses_s: Iterable[float]) -> int:
    """End all sessions of the services, with each of these pauses after it; returns how many were ended."""
    connection = await asyncpg.connect(database_url, timeout=10)
    ended = 0
    try:
        for pause_s in pauses_s:
            ended += await connection.fetchval(_SESSIONS)
            await asyncio.sleep(pause_s)
    finally:
        await connection.close()
    return ended


class Victim:
    """Every fault takes its choices from the dice, so that a seed repeats them."""

    def __init__(self, stack: LocalStack, dice: random.Random) -> None:
        self.stack, self.dice = stack, dice

    def pid(self, name: str) -> int | None:
        return next((one.pid for one in self.stack.supervisor.processes() if one.name == name), None)

    def running(self, name: str) -> int:
        """Raises OperatorError when there is no such process just now."""
        pid = self.pid(name)
        if pid is None:
            raise OperatorError(f"{name} does not run.", "Its log tells why.")
        return pid

    def send(self, name: str, number: signal.Signals) -> int:
        pid = self.running(name)
        os.kill(pid, number)
        return pid

    def end(self, name: str, number: signal.Signals) -> None:
        """By a signal, and back when the supervisor has started it anew."""
        old = self.send(name, number)
        self.until(f"{name} comes back", lambda: self.pid(name) not in (None, old))

    def freeze(self, name: str, for_s: float) -> None:
        """With its children: Postgres works in one process a session."""
        with suspended(self.running(name)):
            time.sleep(for_s)

    def restart(self, name: str, away_s: float = 0.0) -> None:
        with self.without(name):
            time.sleep(away_s)

    @contextlib.contextmanager
    def without(self, name: str) -> Iterator[None]:
        """It is asked to end, and started again after the block."""
        self.stack.supervisor.stop([name])
        try:
            yield
        finally:
            self.stack.supervisor.start([name])

    def scale(self, workers: int) -> None:
        self.stack.choices.with_workers({"points": workers}).save(self.stack.folder)
        self.stack.reconfigure()
        self.stack.supervisor.start(self.stack.service_names())

    @contextlib.contextmanager
    def another_worker(self, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """One more worker of points, which is gone after the block."""
        settings = service_environment("points", self.stack.addresses)
        with self.stack.folder.log("another-worker").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "services.points", "worker"],
                env=os.environ | settings | {"POINTS_WORKER_PORT": "0"} | environment,
                stdout=log, stderr=log, cwd=PROJECT,
            )  # fmt: skip
        try:
            yield worker
        finally:
            worker.kill()
            worker.wait(10)

    def die_at(self, failpoint: str) -> None:
        """A second worker of points joins and dies there."""
        with self.another_worker(TREUE_FAILPOINT=failpoint) as worker:
            worker.wait(_WITHIN_S)

    def break_sessions(self, times: int) -> None:
        """What a failover does to every connection."""
        asyncio.run(end_sessions(self.stack.addresses.database, [self.dice.random() / 5 for _ in range(times)]))

    def rows(self, query: str, *values: Any) -> list[Any]:
        """What the database answers to its administrator."""
        return list(self.in_database(lambda database: database.fetch(query, *values)))

    def in_database(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do this as the database's administrator."""

        async def connected() -> T:
            database = await asyncpg.connect(self.stack.addresses.database, timeout=30)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(connected())

    @staticmethod
    def until(what: str, check: Callable[[], object]) -> None:
        """Raises OperatorError when it does not come about."""
        deadline = time.monotonic() + _WITHIN_S
        while not check():
            if time.monotonic() > deadline:
                raise OperatorError(f"Not within {_WITHIN_S:.0f} s: {what}.", "The logs tell why.")
            time.sleep(0.1)
