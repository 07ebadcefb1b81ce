"""Dead letters that are retried, and ranges that are replayed: through the same path, once, in their order."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from deploy import letters
from deploy.replay import _PARK, _row
from shared.db.transaction import Transaction, transaction
from shared.messaging import dead_letters
from shared.messaging.history import read_range
from shared.messaging.incoming import Effects, Incoming
from shared.messaging.unparker import Unparker
from tests.integration.shared.conftest import Spine
from tests.support.counting import Counting, bought
from tests.support.eventually import until

_TRACES = """
    SELECT sum(next_offset - first_offset - duplicates - conflicts - ignored - gaps)
        - (SELECT count(*) FROM inbox) - (SELECT count(*) FROM parked_event)
        - (SELECT count(*) FROM dead_letter WHERE state <> 'retried')
    FROM consumer_offset
"""
_WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
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


async def _retry_all(spine: Spine) -> int:
    async with transaction(spine.engine) as tx:
        return await letters.retry(tx.raw, "points", await letters.open_letters(tx.raw, "points"))


async def _letter(spine: Spine) -> Any:
    (row,) = await spine.fetch("SELECT id, state, error, detail FROM dead_letter")
    return row


async def _discard(spine: Spine) -> bool:
    letter = (await _letter(spine))["id"]
    async with transaction(spine.engine) as tx:
        return await letters.discard(tx.raw, "points", letter)


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


async def test_a_letter_that_is_refused_again_is_open_again_and_can_be_retried_again(broken: Spine) -> None:
    assert await _retry_all(broken) == 1
    await broken.fetch("UPDATE dead_letter SET detail = 'yesterday''s reason'")
    await Unparker(broken.engine, broken.application).try_all()
    letter = await _letter(broken)
    assert (letter["state"], letter["error"], letter["detail"]) == ("open", "BrokenError", "o-17")
    assert await broken.value("SELECT count(*) FROM parked_event") == 8
    assert await broken.value("SELECT total FROM paid WHERE customer_id = 'c-7'") == 100
    assert await broken.value(_TRACES) == 0
    broken.application.broken = set()
    assert await _retry_all(broken) == 1
    await _unpark(broken)
    assert await broken.value("SELECT sum(total) FROM paid") == 100 * 100
    assert await broken.value(_TRACES) == 0


@pytest.mark.parametrize("tried", [True, False], ids=["refused again", "not tried yet"])
async def test_a_retried_letter_can_be_given_up_and_what_waits_behind_it_goes_on(broken: Spine, tried: bool) -> None:
    await _retry_all(broken)
    if tried:
        await Unparker(broken.engine, broken.application).try_all()
    assert await _discard(broken)
    assert (await _letter(broken))["state"] == "discarded"
    assert await broken.value(_TRACES) == 0
    await _unpark(broken)
    assert await broken.value("SELECT sum(total) FROM paid") == 99 * 100
    assert await broken.value(_TRACES) == 0
    assert not await _discard(broken)


async def test_a_retried_letter_in_front_of_one_that_waits_is_applied(broken: Spine) -> None:
    broken.application.broken = set()
    broken.application.waiting = {f"o-{number}" for number in range(57, 100, 10)}
    await _retry_all(broken)
    await Unparker(broken.engine, broken.application).try_all()
    assert await broken.value("SELECT total FROM paid WHERE customer_id = 'c-7'") == 5 * 100
    assert await broken.value("SELECT count(*) FROM parked_event WHERE reason = 'told to wait'") == 5
    assert (await _letter(broken))["state"] == "retried"
    assert await broken.value(_TRACES) == 0
    broken.application.waiting = set()
    await _unpark(broken)
    assert await broken.value("SELECT sum(total) FROM paid") == 100 * 100
    assert await broken.value(_TRACES) == 0


async def test_what_is_being_applied_can_no_longer_be_given_up(broken: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator decides while the worker has the event in its hands: the worker was first."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    real = Counting.apply

    async def slowly(self: Counting, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        reached.set()
        await go_on.wait()
        return await real(self, tx, events)

    monkeypatch.setattr(Counting, "apply", slowly)
    broken.application.broken = set()
    await _retry_all(broken)
    trying = asyncio.create_task(Unparker(broken.engine, broken.application).try_all())
    await asyncio.wait_for(reached.wait(), 10)
    giving_up = asyncio.create_task(_discard(broken))
    await until(lambda: broken.value(_WAITING))
    go_on.set()
    await trying
    assert not await giving_up
    assert (await _letter(broken))["state"] == "retried"
    assert await broken.value("SELECT sum(total) FROM paid") == 100 * 100
    assert await broken.value(_TRACES) == 0


async def test_what_is_refused_behind_a_letter_is_a_letter_too(broken: Spine) -> None:
    broken.application.broken = {"o-17", "o-37"}
    assert await _discard(broken)
    await Unparker(broken.engine, broken.application).try_all()
    assert await broken.value("SELECT count(*) FROM dead_letter WHERE state = 'open' AND detail = 'o-37'") == 1
    assert await broken.value("SELECT total FROM paid WHERE customer_id = 'c-7'") == 200
    assert await broken.value("SELECT count(*) FROM parked_event") == 6
    assert await broken.value(_TRACES) == 0


async def test_a_letter_that_violates_a_key_again_and_again_holds_up_no_other(
    broken: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a rival's doing, so that it is tried again; but each in its turn."""
    real = Counting.apply

    async def apply(self: Counting, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        if any(event.event.order_id == "o-17" for event in events):  # type: ignore[attr-defined]
            raise asyncpg.UniqueViolationError("o-17 again")
        return await real(self, tx, events)

    broken.application.broken = {"o-128"}  # of customer 8
    await broken.producer.send([bought(n, broken.topic) for n in range(120, 130)], deadline_s=10)
    async with broken.running(broken.consumer()):
        await broken.reaches(110)
    broken.application.broken = set()
    await _retry_all(broken)
    monkeypatch.setattr(Counting, "apply", apply)
    unparker = Unparker(broken.engine, broken.application)

    async def only_the_first_is_left() -> bool:
        await unparker.try_all()
        return {row[0][-1] for row in await broken.fetch("SELECT record_key FROM parked_event")} == {"7"}

    await until(only_the_first_is_left)


async def test_a_broken_release_does_not_turn_all_that_waits_into_letters(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "OPEN_MAX", 5)
    spine.application.waiting = {f"o-{n}" for n in range(60)}
    await spine.producer.send([bought(n, spine.topic, customer=f"k-{n}") for n in range(60)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(60)
    spine.application.waiting, spine.application.all_broken = set(), True
    unparker = Unparker(spine.engine, spine.application)
    await until(lambda: _all_refused(unparker, spine))
    assert await spine.value("SELECT count(*) FROM dead_letter") == 5 * 3
    assert await spine.value(_TRACES) == 0
    spine.application.all_broken = False
    await _retry_all(spine)
    await _unpark(spine)
    assert await spine.value("SELECT sum(total) FROM paid") == 60 * 100
    assert await spine.value(_TRACES) == 0


async def _all_refused(unparker: Unparker, spine: Spine) -> bool:
    await unparker.try_all()
    refused = "SELECT count(*) FROM parked_event WHERE reason LIKE 'refused: 5 open dead letters%BrokenError%'"
    return bool(await spine.value(refused) == 60 - 5 * 3)


async def test_a_replay_that_applies_what_an_open_letter_keeps_closes_the_letter(spine: Spine) -> None:
    spine.application.broken = {"o-1"}
    await spine.producer.send([bought(1, spine.topic)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(1)
    await spine.fetch("UPDATE dead_letter SET blocks_key = false")
    spine.application.broken = set()
    await _replay_all(spine)
    await _unpark(spine)
    assert (await _letter(spine))["state"] == "retried"
    assert await spine.value(_TRACES) == 0


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
    await _replay_all(spine)
    await _unpark(spine)
    assert await spine.value("SELECT sum(total) FROM paid") == 60 * 100
    assert await spine.value(_TRACES) == 0


async def _replay_all(spine: Spine) -> None:
    for part in range(3):
        async for chunk in read_range(spine.bootstrap, spine.topic, part, 0, 10**9):
            for raw in chunk:
                await spine.fetch(_PARK.format(s="points"), *_row(raw))


async def _cluster(spine: Spine) -> str:
    from shared.messaging.topics import cluster_id

    return await cluster_id(spine.bootstrap)
