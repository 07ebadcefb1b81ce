"""Row 19: a release that can post no award. It stops at a limit, says why, and goes on after the fix by itself.

Returns and repetitions still go well between the purchases, so there are seldom twenty dead letters in a row."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.messaging.dead_letters import OPEN_MAX
from tests.support.asking import rows, wait_for
from tests.support.load import load_on
from tests.support.platform import Platform
from tests.support.topic_tap import PARTITIONS
from tests.support.workers import WORKER

_BREAK = (
    "CREATE FUNCTION points.broken() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RAISE EXCEPTION 'this release cannot post'; END $$",
    "CREATE TRIGGER broken BEFORE INSERT ON points.entry EXECUTE FUNCTION points.broken()",
)
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
