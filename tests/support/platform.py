"""The whole platform for a test run, and ways to hurt it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.description import Description
from deploy.local.folder import PROJECT
from deploy.local.readiness import addresses_by_process
from deploy.up import bring_up, wait_until_ready
from tests.support.stack import Parts


class Platform(Parts):
    """All services on servers of their own. What `treue up` gives an operator, and the process ids."""

    def start(self) -> None:
        self._description = bring_up(self.stack, self.console, owner=os.getpid())

    @property
    def base_url(self) -> str:
        return self._description.base_url

    @property
    def tenant(self) -> str:
        return self._description.tenant

    @property
    def api_key(self) -> str:
        return self._description.api_key

    @property
    def admin_key(self) -> str:
        return self.stack.credentials.admin_key

    @property
    def description(self) -> Description:
        return self._description

    def pid(self, name: str) -> int | None:
        return next(one.pid for one in self.stack.supervisor.processes() if one.name == name)

    def kill(self, name: str, within_s: float = 60) -> None:
        """kill -9, and back when the supervisor has started it anew."""
        old = self._signal(name, signal.SIGKILL)
        deadline = time.monotonic() + within_s
        while self.pid(name) in (None, old):
            assert time.monotonic() < deadline, f"{name} did not come back within {within_s} s"
            time.sleep(0.05)

    def freeze(self, name: str) -> None:
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)

    def restart(self, name: str) -> None:
        """As `treue restart`: asked to stop, started again, ready."""
        self.stack.supervisor.stop([name])
        self.stack.supervisor.start([name])
        wait_until_ready(self.stack)

    def wait_until_ready(self) -> None:
        wait_until_ready(self.stack)

    def health(self, name: str) -> dict[str, Any]:
        """What a process answers at /readyz, ready or not."""
        url = urlsplit(addresses_by_process(self.stack.addresses)[name])
        with closing(HTTPConnection(url.hostname or "", url.port, timeout=10)) as connection:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return {"status_code": answer.status, **json.loads(answer.read())}

    def treue(self, *arguments: str, check: bool = True) -> Any:
        """Runs the command line on this stack with --json and returns what it printed, parsed."""
        done = self.run_treue(*arguments)
        assert not check or done.returncode == 0, f"treue {arguments} exited {done.returncode}: {done.stderr}"
        return json.loads(done.stdout or "null")

    def run_treue(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_treue(self.stack.folder.path, *arguments)

    def _signal(self, name: str, number: signal.Signals) -> int:
        pid = self.pid(name)
        assert pid is not None, f"{name} does not run"
        os.kill(pid, number)
        return pid


def run_treue(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments, "--json"],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=os.environ | {"TREUE_HOME": str(home)},
        timeout=600,
        check=False,
    )
