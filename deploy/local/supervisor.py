"""supervisord runs the processes of a stack; this talks to it over its unix socket."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from deploy.local.folder import StackFolder, own_folder
from deploy.local.program import Program
from deploy.local.supervisor_conf import MARK, OWNER_WATCH, rendered
from deploy.problems import OperatorError

_CONF = "supervisord.conf"
_START_TIMEOUT_S = 20.0
# supervisord stops what it can in turn; each program has its own limit, after which it is killed.
_STOP_TIMEOUT_S = 90.0
_ALREADY_STARTED, _NOT_RUNNING = 60, 70


@dataclass(frozen=True)
class ProcessState:
    """What supervisord says about one process."""

    name: str
    pid: int | None
    state: str
    uptime_s: int
    note: str


class Supervisor:
    """The supervisor of one stack folder, running or not."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder

    def is_running(self) -> bool:
        try:
            self._ask("getPID")
        except (OSError, HTTPException):
            return False
        return True

    def configure(self, programs: Iterable[Program], owner: int | None = None) -> None:
        self._folder.write_text(_CONF, rendered(self._folder, programs, owner))

    def launch(self) -> None:
        """Starts supervisord itself, and with it the programs that start by themselves."""
        if not self._folder.socket.is_relative_to(self._folder.path):
            own_folder()
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._folder.path / _CONF)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self._folder.path)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self.is_running():
            if done.returncode or time.monotonic() > deadline:
                raise OperatorError(
                    f"The supervisor did not start: {(done.stderr or done.stdout).strip()[-400:]}.",
                    f"Look at {self._folder.log('supervisord')}.",
                )
            time.sleep(0.05)

    def apply(self) -> None:
        """Takes over a changed configuration: what is new is started, what is gone is stopped, the rest runs on."""
        added, changed, removed = self._ask("reloadConfig")[0]
        # All at once: workers that leave one after the other make their group share out its work each time.
        self.stop((*removed, *changed))
        for name in (*removed, *changed):
            self._ask("removeProcessGroup", name)
        for name in (*changed, *added):
            self._ask("addProcessGroup", name)

    def start(self, names: Iterable[str]) -> None:
        for name in names:
            try:
                self._ask("startProcess", name, False)
            except Fault as fault:
                if fault.faultCode != _ALREADY_STARTED:
                    raise

    def stop(self, names: Iterable[str]) -> None:
        """All at once, and back only when they have ended."""
        waiting = set(names)
        for name in waiting:
            try:
                self._ask("stopProcess", name, False)
            except Fault as fault:
                if fault.faultCode != _NOT_RUNNING:
                    raise
        ended = {"STOPPED", "EXITED", "FATAL"}
        _until(lambda: all(one.state in ended for one in self.processes() if one.name in waiting))

    def shut_down(self) -> None:
        """Stops everything and supervisord itself."""
        process = psutil.Process(int(self._ask("getPID")))
        self._ask("shutdown")
        _until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)

    def processes(self) -> list[ProcessState]:
        """In the order in which they stand in the configuration; none when supervisord does not run."""
        try:
            found = self._ask("getAllProcessInfo")
        except (OSError, HTTPException):
            return []
        return [
            ProcessState(
                name=one["name"],
                pid=one["pid"] or None,
                state=one["statename"],
                uptime_s=max(0, one["now"] - one["start"]) if one["pid"] else 0,
                note=one["spawnerr"] or (one["description"] if one["statename"] in {"BACKOFF", "FATAL"} else ""),
            )
            for one in found
            if one["name"] != OWNER_WATCH
        ]

    def _ask(self, method: str, *values: object) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._folder.socket}")
        with ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*values)


def end_strays(folder: StackFolder) -> None:
    """Ends what a killed supervisord left behind: nobody else restarts or stops these processes."""
    strays = [process for process in psutil.process_iter() if _belongs(process, folder)]
    for process in strays:
        process.terminate()
    _, stubborn = psutil.wait_procs(strays, timeout=20)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=5)


def _belongs(process: psutil.Process, folder: StackFolder) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(MARK) == str(folder.path)
    except psutil.Error:  # another user's, or gone meanwhile
        return False


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise OperatorError("A process does not end.", "See `treue status`, end it by hand, and try again.")
        time.sleep(0.05)
