"""Row 20: three workers of points, from the command line; they die and leave under load; then one again.

`make test ARGS="tests/faults/test_row_20_members_come_and_go.py -s"` prints how long partitions stood still."""

import random
import time
from collections.abc import Callable, Sequence

from deploy.chaos.judge import in_a_thread
from deploy.chaos.load import Load
from deploy.chaos.rebalances import Rebalances
from deploy.chaos.report import p50_and
from shared.messaging.topics import log_ranges
from tests.support.asking import rows, wait_for
from tests.support.load import SEED, load_on
from tests.support.platform import Platform
from tests.support.topic_tap import PARTITIONS, PURCHASES
from tests.support.workers import WORKER

_MEMBERS = (WORKER, f"{WORKER}-2", f"{WORKER}-3")
_EVERY_S = 2.0
# Members hear of a change by their next heartbeat, within 1.2 s; the rest is a machine that tests share.
_CLEAN_S = 4.0
_POSITIONS = "SELECT part, next_offset FROM points.consumer_offset WHERE topic = 'treue.purchases'"
_OWNERS = "SELECT count(DISTINCT owner) AS owners FROM points.consumer_offset WHERE topic = 'treue.purchases'"


def test_three_workers_that_die_and_leave_under_load(platform: Platform) -> None:
    dice = random.Random(SEED)
    with load_on(platform) as load:
        platform.treue("scale", "points=3")
        load.progressed(10)
        assert rows(platform, _OWNERS)[0]["owners"] > 1
        for turn in range(5):
            member = dice.choice(_MEMBERS)
            if turn % 2:
                platform.kill(member)
            else:
                platform.stack.supervisor.stop([member])
                platform.stack.supervisor.start([member])
            time.sleep(_EVERY_S * dice.random())
        platform.treue("scale", "points=1")
        load.progressed(10)
    assert rows(platform, _OWNERS)[0]["owners"] == 1


def test_how_long_a_partition_stands_still_when_it_changes_hands(platform: Platform) -> None:
    with load_on(platform, shoppers=4, pause_s=0.02) as load:
        clean = _pauses(platform, _join_and_leave)
        caught_up_s = _caught_up(platform, load)
        platform.treue("scale", "points=3")
        killed = _pauses(platform, _die)
        platform.treue("scale", "points=1")
    for said in (
        f"\njoined or left, p50 / p99: {p50_and(clean, 0.99)}; no lag {caught_up_s:.1f} s after the last change",
        f"killed, p50 / p99: {p50_and(killed, 0.99)}",
    ):
        print(said)  # noqa: T201 - what this test is for
    assert len(clean) >= PARTITIONS
    assert clean[len(clean) // 2] < _CLEAN_S


def _join_and_leave(platform: Platform) -> None:
    for count in (2, 3, 1):
        platform.treue("scale", f"points={count}")
        _all_moved(platform)


def _die(platform: Platform) -> None:
    for member in _MEMBERS[:2]:
        platform.kill(member)
        _all_moved(platform)
        platform.treue("scale", "points=3")  # all of them are there: it only waits until they are ready


def _pauses(platform: Platform, happens: Callable[[Platform], None]) -> Sequence[float]:
    """How long partitions stood still meanwhile, in order of length."""
    watching = Rebalances(platform.database_url)
    try:
        _all_moved(platform)
        happens(platform)
    finally:
        pauses_s = watching.finish()
    return pauses_s


def _positions(platform: Platform) -> dict[int, int]:
    return {row["part"]: row["next_offset"] for row in rows(platform, _POSITIONS)}


def _all_moved(platform: Platform) -> None:
    """Until something was applied on each partition."""
    before = _positions(platform)
    wait_for(lambda: all(now > before[part] for part, now in _positions(platform).items()))


def _caught_up(platform: Platform, load: Load) -> float:
    """Seconds until no more is waiting than came within the last half second."""
    begun = time.monotonic()

    def caught_up() -> bool:
        sent = load.memory.sent
        time.sleep(0.5)
        return _lag(platform) <= load.memory.sent - sent

    wait_for(caught_up)
    return time.monotonic() - begun


def _lag(platform: Platform) -> int:
    positions = _positions(platform)
    ends = in_a_thread(log_ranges(platform.kafka_bootstrap, [(PURCHASES, part) for part in positions]))
    return sum(end for _, end in ends.values()) - sum(positions.values())
