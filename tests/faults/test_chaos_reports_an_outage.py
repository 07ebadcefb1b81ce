"""`treue chaos` on a platform that does not come back: a report that says so, no traceback."""

from typing import Any

import pytest

from deploy import up
from deploy.chaos import command
from deploy.chaos import load as shopping
from deploy.chaos.victim import Victim
from tests.support.platform import Platform


def test_a_platform_that_does_not_come_back_is_reported(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def away_for_good(victim: Victim) -> None:
        victim.stack.supervisor.stop(["gateway"])

    monkeypatch.setattr(command, "FAULTS", {"gateway away for good": away_for_good})
    monkeypatch.setattr(up, "_READY_TIMEOUT_S", 3.0)
    monkeypatch.setattr(shopping.Till.send, "__defaults__", (5.0,))
    try:
        run: Any = command._break(platform.stack, 1.0, 7, 2, platform.console)
    finally:
        platform.stack.supervisor.start(["gateway"])
        monkeypatch.undo()
        platform.wait_until_ready()
    assert run.drift.startswith("OUTAGE, not judged: ")
    assert "was not acknowledged in 5.0 s" in run.drift
    assert run.drift in run.markdown()
    assert run.memory.sent > 0
