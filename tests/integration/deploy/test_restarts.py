"""What ends is started again within seconds, however often it has ended before."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from deploy.local.folder import StackFolder
from deploy.local.program import Program
from deploy.local.supervisor import Supervisor
from tests.support.eventually import until

# 2 s, to which supervisord adds up to one, for it looks once a second; the rest is for a busy machine.
_PAUSE_MAX_S = 4.5


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    """One that starts a process which ends at once, and notes when."""
    folder = StackFolder(tmp_path)
    folder.create()
    supervisor = Supervisor(folder)
    # supervisord learns of the end when the output is closed, so its child closes that a moment later.
    script = f"date +%s.%N >> {tmp_path / 'starts'}; sleep 0.2 & exit 1"
    supervisor.configure([Program("one", ("/bin/sh", "-c", script), autostart=True)])
    await asyncio.to_thread(supervisor.launch)
    yield supervisor
    await asyncio.to_thread(supervisor.shut_down)


def _starts(notes: Path) -> list[float]:
    return [float(line) for line in notes.read_text().split()] if notes.exists() else []


async def test_a_start_that_fails_is_not_put_off_longer_each_time(supervisor: Supervisor, tmp_path: Path) -> None:
    notes = tmp_path / "starts"
    await until(lambda: len(_starts(notes)) >= 7, within_s=40)
    assert max(later - earlier for earlier, later in pairwise(_starts(notes))) < _PAUSE_MAX_S
    assert {one.state for one in supervisor.processes()} <= {"BACKOFF", "STARTING"}
