"""Workers of the points service beside the supervised one, as real processes that a test starts, hurts and watches."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.local.folder import PROJECT
from deploy.local.service_environment import service_environment
from tests.support.asking import rows
from tests.support.platform import Platform

WORKER = "points-worker"
_OWNERS = "SELECT DISTINCT owner FROM points.consumer_offset WHERE topic = 'treue.purchases'"


class OwnWorker:
    """One more member of the group of points."""

    def __init__(self, platform: Platform, log: Path, **environment: str) -> None:
        settings = service_environment("points", platform.stack.addresses)
        self._platform, self.log = platform, log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.points", "worker"],
                env=os.environ | settings | {"POINTS_WORKER_PORT": "0"} | environment,
                stdout=output, stderr=output, cwd=PROJECT,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self, within_s: float = 90) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(within_s)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def owns_all_purchases(self) -> bool:
        """Whether every partition of the purchases is claimed by this worker."""
        return [row["owner"].rpartition(":")[2] for row in rows(self._platform, _OWNERS)] == [str(self.pid)]

    def end(self) -> None:
        """Whatever state it is in."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)


@contextlib.contextmanager
def own_worker(platform: Platform, log: Path, **environment: str) -> Iterator[OwnWorker]:
    worker = OwnWorker(platform, log, **environment)
    try:
        yield worker
    finally:
        worker.end()


@contextlib.contextmanager
def without(platform: Platform, name: str) -> Iterator[None]:
    """The supervised process of this name is stopped in order, and started again at the end."""
    platform.stack.supervisor.stop([name])
    try:
        yield
    finally:
        platform.stack.supervisor.start([name])
