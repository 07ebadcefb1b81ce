"""Dead letters that are retried, and ranges that are replayed: through the same path, once, in their order."""

import pytest

from deploy.dead_letters import _RETRY
from deploy.replay import _PARK, _row
from shared.messaging.history import read_range
from shared.messaging.unparker import Unparker
from tests.integration.shared.conftest import Spine
from tests.support.counting import bought
from tests.support.eventually import until

_TRACES = """
    SELECT sum(next_offset - first_offset - duplicates - conflicts - ignored - gaps)
        - (SELECT count(*) FROM inbox) - (SELECT count(*) FROM parked_event)
        - (SELECT count(*) FROM dead_letter WHERE state <> 'retried')
    FROM consumer_offset
"""


@pytest.fixture
async def broken(spine: Spine) -> Spine:
    """A hundred purchases went in; customer 7's second one broke the handler."""
    spine.application.broken = {"o-17"}
    await spine.producer.send([bought(n, spine.topic) for n in range(100)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(100)
    return spine


async def _unpark(spine: Spine) -> None:
    unparker = Unparker(spine.engine, spine.application)

    async def nothing_left() -> bool:
        await unparker.try_all()
        return int(await spine.value("SELECT count(*) FROM parked_event")) == 0

    await until(nothing_left)


async def _retry_all(spine: Spine) -> None:
    letters = [row["id"] for row in await spine.fetch("SELECT id FROM dead_letter WHERE state = 'open'")]
    await spine.fetch(_RETRY.format(s="points"), letters)


async def test_a_retried_dead_letter_and_what_waits_behind_it_are_applied_in_order(broken: Spine) -> None:
    broken.application.broken = set()
    await _retry_all(broken)
    await _unpark(broken)
    assert await broken.value("SELECT sum(total) FROM paid") == 100 * 100
    assert await broken.value(_TRACES) == 0
    order = await broken.fetch(
        "SELECT off FROM inbox i JOIN consumer_offset USING (topic, part) ORDER BY applied_at, off"
    )
    assert len(order) == 100


async def test_a_letter_retried_too_early_waits_and_keeps_its_key_in_order(broken: Spine) -> None:
    await _retry_all(broken)
    await Unparker(broken.engine, broken.application).try_all()
    assert await broken.value("SELECT count(*) FROM parked_event WHERE reason LIKE 'refused: BrokenError%'") == 9
    assert await broken.value("SELECT total FROM paid WHERE customer_id = 'c-7'") == 100
    assert await broken.value(_TRACES) == 0


async def test_a_replayed_range_changes_nothing_that_was_applied_and_mends_what_was_skipped(spine: Spine) -> None:
    await spine.producer.send([bought(n, spine.topic) for n in range(60)], deadline_s=10)
    skipped = await spine.fetch(
        "INSERT INTO consumer_offset (topic, part, first_offset, next_offset, epoch, cluster_id)"
        " SELECT $1, part, 0, 5, 0, '' FROM generate_series(0, 2) AS part RETURNING part",
        spine.topic,
    )
    await spine.fetch("UPDATE consumer_offset SET cluster_id = $1", await _cluster(spine))
    async with spine.running(spine.consumer()):
        await spine.reaches(60)
    assert await spine.value(_TRACES) == 5 * len(skipped), "the hole must show"
    for part in range(3):
        async for chunk in read_range(spine.bootstrap, spine.topic, part, 0, 10**9):
            for raw in chunk:
                await spine.fetch(_PARK.format(s="points"), *_row(raw))
    await _unpark(spine)
    assert await spine.value("SELECT sum(total) FROM paid") == 60 * 100
    assert await spine.value(_TRACES) == 0


async def _cluster(spine: Spine) -> str:
    from shared.messaging.topics import cluster_id

    return await cluster_id(spine.bootstrap)
