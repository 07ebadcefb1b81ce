"""One batch, one transaction: what holds whoever comes in between."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.db.transaction import Transaction, transaction
from shared.messaging import offsets
from shared.messaging.incoming import Effects, Incoming, Item, RawRecord, read
from shared.messaging.lane import Lane
from shared.messaging.offsets import FencedError
from shared.messaging.posting import Posting
from tests.integration.shared.conftest import Spine
from tests.support.counting import PAID_AT, Counting, bought


def _item(spine: Spine, offset: int) -> Item:
    record = bought(offset, spine.topic)
    return read(RawRecord(record.topic, 0, offset, record.key, record.value, record.headers, PAID_AT), lambda _: True)


class Slow(Counting):
    """Stands still in the middle of a batch."""

    def hold(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        self.begun.set()
        await self.go_on.wait()
        return await super().apply(tx, events)


async def test_an_heir_waits_for_the_batch_that_is_under_way(spine: Spine) -> None:
    """The row of the partition is the first lock of a batch: who claims it finds the batch done, or not begun."""
    slow = Slow([spine.topic])
    slow.hold()
    claim = await offsets.claim(spine.engine, spine.topic, 0, 0, "cluster", "owner")
    posting = Posting(spine.engine, slow, service="test")
    under_way = asyncio.create_task(posting.post(claim, 0, [_item(spine, 0)]))
    await slow.begun.wait()
    heir = asyncio.create_task(offsets.claim(spine.engine, spine.topic, 0, 0, "cluster", "heir"))
    await asyncio.sleep(0.2)  # it would give up after half a second, and come again
    waited = not heir.done()
    slow.go_on.set()
    await asyncio.gather(under_way, heir, return_exceptions=True)
    assert waited
    assert heir.result().next_offset == 1


async def test_a_position_that_somebody_moves_forward_under_a_lane_stops_it(spine: Spine) -> None:
    """It is not what a lost answer to COMMIT looks like: that leaves the fingerprint of the very record."""
    claim = await offsets.claim(spine.engine, spine.topic, 0, 0, "cluster", "owner")
    lane = Lane(claim, Posting(spine.engine, spine.application, service="test"), service="test")
    await lane.work([_item(spine, 0)])
    async with transaction(spine.engine) as tx:
        await tx.raw.execute("UPDATE consumer_offset SET next_offset = next_offset + 1")
    with pytest.raises(FencedError):
        await lane.work([_item(spine, 1)])
    assert lane.position == 1


async def test_a_batch_that_was_committed_before_is_passed(spine: Spine) -> None:
    claim = await offsets.claim(spine.engine, spine.topic, 0, 0, "cluster", "owner")
    posting = Posting(spine.engine, spine.application, service="test")
    await posting.post(claim, 0, [_item(spine, 0), _item(spine, 1)])
    lane = Lane(claim, posting, service="test")
    await lane.work([_item(spine, 0), _item(spine, 1)])
    assert lane.position == 2
    assert await spine.value("SELECT count(*) FROM inbox") == 2
