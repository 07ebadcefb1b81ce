"""Row 7: Postgres is restarted in order, dies at once, and is away for a while. No event becomes a dead letter."""

import os
import signal
import time

from tests.support.asking import rows, wait_for
from tests.support.load import load_on
from tests.support.platform import Platform

_OUTAGE_S = 20.0
_DEAD = "SELECT (SELECT count(*) FROM points.dead_letter) + (SELECT count(*) FROM metrics.dead_letter) AS dead"


def test_postgres_restarts_dies_and_stays_away(platform: Platform) -> None:
    dead = rows(platform, _DEAD)[0]["dead"]
    with load_on(platform) as load:
        _stop_and_start(platform, 0.0)
        load.progressed(10)
        _die_immediately(platform)
        load.progressed(10)
        _stop_and_start(platform, _OUTAGE_S)
        load.progressed(10)
    assert rows(platform, _DEAD)[0]["dead"] == dead


def _stop_and_start(platform: Platform, away_s: float) -> None:
    """The fast shutdown: sessions are broken off, what is committed is written."""
    platform.stack.supervisor.stop(["postgres"])
    time.sleep(away_s)
    platform.stack.supervisor.start(["postgres"])
    platform.stack.wait_for_database()


def _die_immediately(platform: Platform) -> None:
    """The immediate shutdown: nothing is written, the log is replayed at the next start."""
    pid = platform.pid("postgres")
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    wait_for(lambda: platform.pid("postgres") not in (None, pid))
    platform.stack.wait_for_database()
