"""Rows 4 and 22: a worker stands still for longer than its session. Whoever took over is not disturbed when it wakes;
and where nobody took over, it finds its way back without being started anew."""

import signal
import time
from pathlib import Path

from tests.support.asking import rows, wait_for
from tests.support.load import load_on
from tests.support.platform import Platform
from tests.support.workers import WORKER, own_worker

_BEYOND_THE_SESSION_S = 8.0
_EPOCHS = "SELECT min(epoch) AS epoch FROM points.consumer_offset WHERE topic = 'treue.purchases'"


def test_a_zombie_is_fenced_when_it_wakes(platform: Platform, tmp_path: Path) -> None:
    with load_on(platform) as load, own_worker(platform, tmp_path / "heir.log") as heir:
        platform.freeze(WORKER)
        try:
            wait_for(heir.owns_all_purchases)
            load.progressed(10)
        finally:
            platform.thaw(WORKER)
        load.progressed(20)
        heir.send(signal.SIGTERM)
        assert heir.ended(within_s=30) == 0


def test_a_worker_that_slept_through_its_session_rejoins(platform: Platform) -> None:
    pid = platform.pid(WORKER)
    with load_on(platform):
        before = _epoch(platform)
        platform.freeze(WORKER)
        try:
            time.sleep(_BEYOND_THE_SESSION_S)
        finally:
            platform.thaw(WORKER)
        wait_for(lambda: _epoch(platform) > before)
    assert platform.pid(WORKER) == pid
    assert _epoch(platform) - before <= 3, "a storm of rebalances"


def _epoch(platform: Platform) -> int:
    return int(rows(platform, _EPOCHS)[0]["epoch"])
