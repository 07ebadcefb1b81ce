"""Row 25: somebody moves a position by hand, or loses its row. Backwards nothing is doubled; forwards it is found and
mended."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from deploy.chaos.judge import DriftError, in_a_thread
from deploy.chaos.load import PURCHASES, Memory, purchase
from tests.support.asking import rows, wait_for
from tests.support.halts import said_everywhere
from tests.support.load import load_on, open_court
from tests.support.platform import Platform
from tests.support.workers import WORKER, without

_TOPIC = "treue.purchases"
_GIVEN_UP = """
    SELECT count(*) AS n FROM points.dead_letter WHERE topic = $1 AND state = 'discarded' AND event_id IS NOT NULL
"""
# Far enough that no shopper repeats itself over this distance: the record in front must be another one.
_BACK = 7
_BACKWARDS = """
    UPDATE points.consumer_offset SET next_offset = next_offset - $2
    WHERE topic = $1 AND next_offset >= first_offset + $2 RETURNING part
"""
_FORWARDS = "UPDATE points.consumer_offset SET next_offset = next_offset + $2 WHERE topic = $1 AND part = any($3)"


def test_a_lost_position_reads_everything_again_without_effect(platform: Platform) -> None:
    with load_on(platform) as load:
        load.progressed(20)
        with without(platform, WORKER):
            rows(platform, "DELETE FROM points.consumer_offset WHERE topic = $1", _TOPIC)
        load.progressed(10)


def test_a_position_moved_by_hand_halts_says_why_everywhere_and_goes_on_when_put_back(platform: Platform) -> None:
    """The worker is never stopped or started: the operator only mends the position."""
    pid = platform.pid(WORKER)
    with load_on(platform) as load:
        load.progressed(100)
        with _moved_back(platform):
            wait_for(lambda: all("another record" in why for why in said_everywhere(platform)))
        platform.wait_until_ready()
        load.progressed(5)
        wait_for(lambda: said_everywhere(platform)[:3] == ("", "", ""))
    assert platform.pid(WORKER) == pid


@contextmanager
def _moved_back(platform: Platform) -> Iterator[None]:
    moved = [row["part"] for row in rows(platform, _BACKWARDS, _TOPIC, _BACK)]
    assert moved, "nobody has come so far yet"
    try:
        yield
    finally:
        rows(platform, _FORWARDS, _TOPIC, _BACK, moved)


def test_a_position_moved_forward_is_found_by_the_auditor_and_mended_by_a_replay(platform: Platform) -> None:
    court, memory = open_court(platform), Memory()
    with without(platform, WORKER), closing(court.till()) as till:
        for number in range(12):
            answer = till.send(PURCHASES, purchase(f"c-{number}", f"skipped-{number}", 1000))
            memory.acknowledge(PURCHASES, answer)
            memory.keep(f"c-{number}", 1000, 0)
        wait_for(lambda: _in_metrics(platform, court.tenant) == 12)
        rows(
            platform,
            """
            UPDATE points.consumer_offset AS p SET next_offset = m.next_offset, last_hash = NULL
            FROM metrics.consumer_offset m WHERE (p.topic, p.part) = (m.topic, m.part) AND p.topic = $1
            """,
            _TOPIC,
        )
    platform.wait_until_ready()
    with pytest.raises(DriftError, match="completeness"):
        in_a_thread(court._audited())
    # A replay also applies what other tests have given up: whoever asks for one asks for that too.
    given_up = rows(platform, _GIVEN_UP, _TOPIC)[0]["n"]
    assert platform.treue("replay", _TOPIC, "--service", "points")["newly_applied"] == 12 + given_up
    court.judge(memory)


def _in_metrics(platform: Platform, tenant: str) -> int:
    found = rows(platform, "SELECT count(*) AS n FROM metrics.inbox WHERE topic = $1 AND tenant = $2", _TOPIC, tenant)
    return int(found[0]["n"])
