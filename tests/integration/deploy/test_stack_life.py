"""What a stack survives. It has one of its own: the tests of other rooms must not notice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import PIPE

import asyncpg
import psutil
import pytest

from deploy.declared_topics import declared_topics
from deploy.local.folder import PROJECT, StackFolder
from deploy.local.supervisor import Supervisor
from deploy.local.waiting import reach
from shared.messaging.topics import cluster_id
from tests.support.eventually import eventually
from tests.support.stack import Parts


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[Parts]:
    # Deep enough that the supervisor's socket cannot lie in it.
    own = Parts(tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5))
    await asyncio.to_thread(own.start)
    yield own
    await asyncio.to_thread(own.stop)


def _pids(parts: Parts) -> dict[str, int | None]:
    return {process.name: process.pid for process in parts.stack.supervisor.processes()}


async def _write_and_read(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=2)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
    await connection.execute("INSERT INTO kept VALUES (1)")
    await connection.close()


async def test_whatever_is_killed_comes_back_and_data_outlives_a_stop(own: Parts) -> None:
    await _write_and_read(own.database_url)
    cluster = await cluster_id(own.kafka_bootstrap)
    for pid in _pids(own).values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    await eventually(lambda: _write_and_read(own.database_url), within_s=30)
    await eventually(lambda: cluster_id(own.kafka_bootstrap), within_s=30)
    await asyncio.to_thread(own.stack.stop)
    assert _pids(own) == {}
    await asyncio.to_thread(own.start)
    connection = await asyncpg.connect(own.database_url)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 2
    await connection.close()
    assert await cluster_id(own.kafka_bootstrap) == cluster


async def test_a_killed_supervisor_leaves_nothing_that_is_in_the_way(own: Parts) -> None:
    before = set(_pids(own).values())
    os.kill(int((own.stack.folder.path / "supervisord.pid").read_text()), signal.SIGKILL)
    await eventually(lambda: _assert_stopped(own))
    await asyncio.to_thread(own.start)
    assert before.isdisjoint(_pids(own).values())
    assert not [pid for pid in before if pid and psutil.pid_exists(pid)]
    assert own.kafka_bootstrap == f"127.0.0.1:{own.stack.port('kafka')}"
    reach(own.kafka_bootstrap)


def _assert_stopped(parts: Parts) -> None:
    assert not parts.stack.supervisor.is_running()


def _assert_gone(pids: list[int | None]) -> None:
    assert pids
    assert not [pid for pid in pids if pid is None or psutil.pid_exists(pid)]


async def test_topics_are_applied_again_without_harm(own: Parts) -> None:
    assert await asyncio.to_thread(own.stack.wait_for_kafka) == []
    assert len(declared_topics()) == 9


async def test_a_stack_ends_with_the_run_that_was_killed(tmp_path: Path) -> None:
    with _a_run_of_its_own(tmp_path) as run:
        assert run.stdout is not None
        assert await asyncio.to_thread(run.stdout.readline) == "up\n"
        left = [process.pid for process in Supervisor(StackFolder(tmp_path)).processes()]
        run.kill()
    await eventually(lambda: _assert_gone(left), within_s=30)


_RUN = """
import pathlib, sys
from tests.support.stack import Parts
Parts(pathlib.Path(sys.argv[1])).start()
print("up", flush=True)
input()
"""


def _a_run_of_its_own(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", _RUN, home], stdin=PIPE, stdout=PIPE, text=True, cwd=PROJECT)
