"""What can be done to a running stack. Each fault ends when the stack has what it had before, if not yet ready."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

import asyncpg
import psutil

from deploy.environment import SERVICES
from deploy.local.folder import PROJECT
from deploy.local.service_environment import service_environment
from deploy.local.stack import LocalStack
from deploy.problems import OperatorError

WORKERS: Final = tuple(f"{service}-worker" for service in SERVICES)
APIS: Final = ("gateway", *(f"{service}-api" for service in SERVICES if service != "gateway"))
FAILPOINTS: Final = (
    *("post_after_lock", "post_after_inbox", "post_after_effects", "post_before_commit", "post_after_commit"),
    *("relay_before_send", "relay_after_send", "relay_before_commit"),
)
_BACK_WITHIN_S: Final = 90.0
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


class Victim:
    """A stack that is hurt. Every fault takes its choices from the dice, so that a seed repeats them."""

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
        old, deadline = self.send(name, number), time.monotonic() + _BACK_WITHIN_S
        while self.pid(name) in (None, old):
            if time.monotonic() > deadline:
                raise OperatorError(f"{name} did not come back within {_BACK_WITHIN_S:.0f} s.", "Its log tells why.")
            time.sleep(0.05)

    def freeze(self, name: str, for_s: float) -> None:
        """With its children: Postgres works in one process a session."""
        with suspended(self.running(name)):
            time.sleep(for_s)

    def restart(self, name: str, away_s: float = 0.0) -> None:
        self.stack.supervisor.stop([name])
        time.sleep(away_s)
        self.stack.supervisor.start([name])

    def scale(self, workers: int) -> None:
        self.stack.choices.with_workers({"points": workers}).save(self.stack.folder)
        self.stack.reconfigure()
        self.stack.supervisor.start(self.stack.service_names())

    def die_at(self, failpoint: str) -> None:
        """A second worker of points joins and dies there."""
        environment = service_environment("points", self.stack.addresses)
        environment |= {"POINTS_WORKER_PORT": "0", "TREUE_FAILPOINT": failpoint}
        with self.stack.folder.log("failing-worker").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "services.points", "worker"],
                env=os.environ | environment, stdout=log, stderr=log, cwd=PROJECT,
            )  # fmt: skip
        try:
            worker.wait(_BACK_WITHIN_S)
        finally:
            worker.kill()
            worker.wait(10)

    def break_sessions(self, times: int) -> None:
        """What a failover does to every connection."""

        async def terminate() -> None:
            connection = await asyncpg.connect(self.stack.addresses.database, timeout=10)
            try:
                for _ in range(times):
                    await connection.fetchval(_SESSIONS)
                    await asyncio.sleep(self.dice.random() / 5)
            finally:
                await connection.close()

        asyncio.run(terminate())


def _three_workers(victim: Victim) -> None:
    """Two more join; members die and leave; one is left."""
    victim.scale(3)
    members = ("points-worker", "points-worker-2", "points-worker-3")
    for _ in range(4):
        time.sleep(2 * victim.dice.random())
        member = victim.dice.choice(members)
        with contextlib.suppress(OperatorError):  # it is being started anew just now
            if victim.dice.random() < 0.5:
                victim.end(member, signal.SIGKILL)
            else:
                victim.restart(member)
    victim.scale(1)


FAULTS: Final[dict[str, Callable[[Victim], None]]] = {
    "kill -9 an api": lambda v: v.end(v.dice.choice(APIS), signal.SIGKILL),
    "kill -9 a worker": lambda v: v.end(v.dice.choice(WORKERS), signal.SIGKILL),
    "kill -9 Kafka": lambda v: v.end("kafka", signal.SIGKILL),
    "kill -9 Postgres": lambda v: v.end("postgres", signal.SIGKILL),
    "kill -9 the mail server": lambda v: v.end("mail", signal.SIGKILL),
    "SIGTERM an api": lambda v: v.restart(v.dice.choice(APIS)),
    "SIGTERM a worker": lambda v: v.restart(v.dice.choice(WORKERS)),
    "restart Kafka": lambda v: v.restart("kafka"),
    "restart Postgres, fast": lambda v: v.restart("postgres"),
    "restart Postgres, immediate": lambda v: v.end("postgres", signal.SIGQUIT),
    "Postgres away": lambda v: v.restart("postgres", away_s=v.dice.uniform(3, 20)),
    "Kafka away": lambda v: v.restart("kafka", away_s=v.dice.uniform(3, 20)),
    "freeze Kafka": lambda v: v.freeze("kafka", v.dice.uniform(1, 15)),
    "freeze Postgres": lambda v: v.freeze("postgres", v.dice.uniform(1, 15)),
    "freeze a worker": lambda v: v.freeze(v.dice.choice(WORKERS), v.dice.uniform(1, 12)),
    "freeze an api": lambda v: v.freeze(v.dice.choice(APIS), v.dice.uniform(1, 8)),
    "break all sessions": lambda v: v.break_sessions(v.dice.randrange(5, 30)),
    "die at a failpoint": lambda v: v.die_at(v.dice.choice(FAILPOINTS)),
    "three workers of points come and go": _three_workers,
}
