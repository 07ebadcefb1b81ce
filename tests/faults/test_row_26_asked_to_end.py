"""Row 26: processes are asked to end at any moment, while they start, work or wait. They end in time, in order."""

import random
import signal
import time
from pathlib import Path

from tests.support.load import SEED, load_on
from tests.support.platform import Platform
from tests.support.workers import own_worker

_PROCESSES = ("gateway", "gateway-worker", "points-worker", "metrics-worker", "points-api", "notifications-worker")
_ENDED_WITHIN_S = 25.0


def test_supervised_processes_end_in_order_and_come_back(platform: Platform) -> None:
    dice = random.Random(SEED)
    with load_on(platform) as load:
        for name in dice.sample(_PROCESSES, len(_PROCESSES)):
            begun = time.monotonic()
            platform.stack.supervisor.stop([name])
            took_s = time.monotonic() - begun
            platform.stack.supervisor.start([name])
            assert took_s < _ENDED_WITHIN_S, name
            assert "terminated by SIGKILL" not in _supervisors_last_word_of(platform, name)
        load.progressed(10)


def test_processes_end_in_order_while_postgres_hangs(platform: Platform) -> None:
    with load_on(platform) as load:
        platform.wait_until_ready()
        load.progressed(20)
        try:
            with platform.frozen("postgres"):
                time.sleep(1)
                platform.stack.supervisor.stop(_PROCESSES)
            said = {name: _supervisors_last_word_of(platform, name) for name in _PROCESSES}
        finally:
            platform.stack.supervisor.start(_PROCESSES)
        load.progressed(10)
    assert not [line for line in said.values() if "terminated by SIGKILL" in line]


def test_a_worker_ends_at_any_moment_of_its_life(platform: Platform, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    with load_on(platform):
        for number in range(4):
            with own_worker(platform, tmp_path / f"{number}.log") as worker:
                time.sleep(dice.random() * 6)
                worker.send(signal.SIGTERM)
                # Before the interpreter has set the worker up, the signal is still deadly: nothing was begun then.
                assert worker.ended(within_s=_ENDED_WITHIN_S) in (0, -signal.SIGTERM)


def _supervisors_last_word_of(platform: Platform, name: str) -> str:
    lines = platform.stack.folder.log("supervisord").read_text().splitlines()
    return next((line for line in reversed(lines) if f"{name} (" in line), "")
