"""Row 19: a release that can post no award. It stops at a limit, says why, and goes on after the fix by itself.

Returns and repetitions still go well between the purchases, so there are seldom twenty dead letters in a row."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

import pytest

from deploy.chaos.load import PURCHASES, Memory, purchase
from shared.ids import new_id
from shared.messaging.dead_letters import CONSECUTIVE_MAX, OPEN_MAX
from tests.support.asking import rows, wait_for
from tests.support.load import load_on, open_court
from tests.support.platform import Platform
from tests.support.topic_tap import PARTITIONS
from tests.support.workers import WORKER

_BREAK = (
    "CREATE FUNCTION points.broken() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RAISE EXCEPTION 'this release cannot post'; END $$",
    "CREATE TRIGGER broken BEFORE INSERT ON points.entry FOR EACH ROW EXECUTE FUNCTION points.broken()",
)
_BREAK_ONE = """
    CREATE OR REPLACE FUNCTION points.broken() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN
        IF NEW.order_id LIKE 'o-bad-%' THEN RAISE EXCEPTION 'this one cannot be posted'; END IF;
        RETURN NEW;
    END $$
"""
_MEND = "DROP FUNCTION points.broken CASCADE"


def test_a_release_that_fails_stops_and_goes_on_after_the_fix(platform: Platform) -> None:
    pid, before = platform.pid(WORKER), len(_letters(platform))
    with load_on(platform, shoppers=4, pause_s=0.0) as load:
        with _broken_release(platform):
            why = wait_for(lambda: platform.health(WORKER).get("not_ready", {}).get("consumer"), within_s=120)
            assert "dead letters" in why
            assert "this release cannot post" in why
            (line,) = (each for each in platform.treue("status")["processes"] if each["name"] == WORKER)
            assert "this release cannot post" in line["note"]
            load.progressed(20)
        platform.wait_until_ready()
        assert len(_letters(platform)) - before <= OPEN_MAX * PARTITIONS
        assert platform.treue("dead-letters", "retry", "--all")["retried"] >= 20
        wait_for(lambda: len(_letters(platform)) <= before)
    assert platform.pid(WORKER) == pid


@pytest.mark.parametrize("decision", ["retry", "discard"])
def test_who_decides_about_a_letter_lets_the_partition_bury_what_is_bad_itself(
    platform: Platform, decision: str
) -> None:
    """The fix is there, but the first record after it can never be posted: it would be one too many in a row."""
    court, memory, run = open_court(platform), Memory(), new_id().hex[:8]
    before = set(_letters(platform))
    with closing(court.till()) as till:

        def buy(name: str) -> str:
            answer = till.send(PURCHASES, purchase(f"c-{run}", f"{name}-{run}", 1000))
            if name == "bad":
                memory.orders += 1  # metrics take it
                memory.given_up.add(answer.event_id)
            else:
                memory.acknowledge(PURCHASES, answer)
                memory.keep(f"c-{run}", 1000, 0)
            return answer.event_id

        with _broken_release(platform):
            for number in range(CONSECUTIVE_MAX):
                buy(str(number))
            wait_for(lambda: len(_letters(platform)) == len(before) + CONSECUTIVE_MAX)
            bad = buy("bad")
            wait_for(lambda: f"{CONSECUTIVE_MAX} dead letters in a row" in _not_ready(platform))
            rows(platform, _BREAK_ONE)
            wait_for(lambda: "this one cannot be posted" in _not_ready(platform))
            first, *others = sorted(set(_letters(platform)) - before)
            if decision == "retry":
                assert platform.treue("dead-letters", "retry", first)["retried"] == 1
            else:
                platform.treue("dead-letters", "discard", first)
            wait_for(lambda: _event_of_letters(platform, bad))
            buy("good")
            platform.wait_until_ready()
            platform.treue("dead-letters", "discard", _event_of_letters(platform, bad)[0])
            for letter in others:
                platform.treue("dead-letters", "retry", letter)
    if decision == "discard":  # given up for good, unless somebody replays it
        given_up = rows(platform, "SELECT event_id::text FROM points.dead_letter WHERE id = $1", UUID(first))[0][0]
        del memory.events[given_up]
        memory.given_up.add(given_up)
        memory.kept[f"c-{run}"] -= 10
    court.judge(memory)


def _not_ready(platform: Platform) -> str:
    return str(platform.health(WORKER).get("not_ready", {}).get("consumer"))


def _event_of_letters(platform: Platform, event_id: str) -> list[str]:
    query = "SELECT id::text FROM points.dead_letter WHERE event_id = $1 AND state = 'open'"
    return [row["id"] for row in rows(platform, query, UUID(event_id))]


def _letters(platform: Platform) -> list[str]:
    return [letter["id"] for letter in platform.treue("dead-letters", "list", "--service", "points")]


@contextmanager
def _broken_release(platform: Platform) -> Iterator[None]:
    for statement in _BREAK:
        rows(platform, statement)
    try:
        yield
    finally:
        rows(platform, _MEND)
