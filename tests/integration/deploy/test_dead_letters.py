"""`treue dead-letters` says what there is and what it cannot do, in sentences."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.letters import open_by_service
from deploy.status import _for_people
from shared.ids import new_id
from tests.integration.deploy.conftest import NO_DATABASE, Operator
from tests.support.stack import Database

_MANY = 1003
_RUNNING = {"name": "postgres", "state": "RUNNING", "ready": None, "pid": 7, "uptime_s": 1, "note": ""}
_LETTERS = """
    INSERT INTO points.dead_letter (id, tenant, topic, part, off, record_key, headers, record_time, error, detail,
        code_version, blocks_key, created_at)
    SELECT gen_random_uuid(), 't', 'treue.purchases', 0, n, 't:c', '[]', now(), 'Broken', '', '1', false,
        now() + n * interval '1 ms' FROM generate_series(1, $1) AS n
"""


@pytest.fixture
async def letters(books: Database) -> AsyncIterator[None]:
    connection = await asyncpg.connect(books.admin)
    try:
        await connection.execute(_LETTERS, _MANY)
        yield
    finally:
        await connection.execute("TRUNCATE points.dead_letter, points.parked_event")
        await connection.close()


async def test_a_list_that_ends_before_the_last_letter_says_how_many_more_there_are(
    without_kafka: Operator, letters: None
) -> None:
    code, found, said = await without_kafka.run("dead-letters", "list")
    assert (code, len(found), [found[0]["off"], found[-1]["off"]]) == (0, 1000, [1, 1000])
    assert "3 more are not listed" in said
    assert (await without_kafka.run("dead-letters", "retry", "--all"))[1] == {"retried": _MANY}
    assert (await without_kafka.run("dead-letters", "list", "--service", "metrics"))[1:] == ([], "")


async def test_the_status_counts_those_that_are_open(books: Database, letters: None) -> None:
    dead = await open_by_service(books.admin)
    assert dead == {"points": _MANY}
    lines = _for_people([_RUNNING], {}, dead)
    assert "1,003 dead letters of points are open[/]: `treue dead-letters list --service points`" in str(lines[-1])
    assert await open_by_service(NO_DATABASE) is None
    assert "not known" in str(_for_people([_RUNNING], {}, None)[-1])


async def test_what_cannot_be_retried_or_shown_is_told_in_its_own_words(without_kafka: Operator) -> None:
    unknown = str(new_id())
    for asked, told in {
        ("retry",): "Which dead letters?",
        ("retry", unknown, "--all"): "Which dead letters?",
        ("retry", unknown): f"points has no open dead letter {unknown}",
        ("show", unknown): f"points knows no dead letter {unknown}.",
    }.items():
        code, found, _ = await without_kafka.run("dead-letters", *asked)
        assert code == 1
        assert found["error"].startswith(told)
    code, found, _ = await without_kafka.run("dead-letters", "retry", "--all")
    assert (code, found) == (0, {"retried": 0})
