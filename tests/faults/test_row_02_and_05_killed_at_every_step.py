"""Rows 2 and 5: a worker dies at each of the places where a death could lose or double something."""

import contextlib
import signal
from pathlib import Path

import pytest

from tests.support.load import load_on
from tests.support.platform import Platform
from tests.support.workers import WORKER, own_worker, without

# Read, and nothing begun; and around Kafka's own commit, which is for display and must decide nothing.
READING = ("consume_after_read", "progress_before_commit", "progress_after_commit")
POSTING = ("post_after_lock", "post_after_inbox", "post_after_effects", "post_before_commit", "post_after_commit")
RELAYING = ("relay_before_send", "relay_after_send", "relay_before_commit")


@pytest.mark.parametrize("steps", [READING, POSTING, RELAYING], ids=["reading", "posting", "relaying"])
def test_a_death_at_any_step_neither_loses_nor_doubles(
    platform: Platform, tmp_path: Path, steps: tuple[str, ...]
) -> None:
    with load_on(platform) as load:
        with without(platform, WORKER), contextlib.ExitStack() as stack:
            # All at once: each dies with the first batch or bucket that it gets, the others inherit its partitions.
            dying = [own_worker(platform, tmp_path / f"{step}.log", TREUE_FAILPOINT=step) for step in steps]
            workers = [stack.enter_context(each) for each in dying]
            assert [worker.ended() for worker in workers] == [-signal.SIGKILL] * len(steps)
        load.progressed(10)
