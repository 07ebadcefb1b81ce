"""The partitions of a topic, read abreast: nothing missing, each in its order, each order's story in that of time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from deploy.rebuild.abreast import Step, abreast
from deploy.rebuild.fold import in_turn
from shared.events.contract import Topic
from shared.events.envelope import Envelope
from shared.events.purchases import PurchaseCancelled
from shared.messaging.incoming import Foreign, Incoming, Item, RawRecord

_NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
_TENANT = "t"

# A record's time, its event and its order; None where the record is nothing that the service listens to.
Drawn = tuple[int, int | None, str]
_DRAWN = st.tuples(st.integers(0, 20), st.none() | st.integers(0, 30), st.sampled_from("abcdef"))
_PARTITIONS = st.lists(st.lists(_DRAWN, max_size=12), min_size=1, max_size=4)


def _item(part: int, offset: int, drawn: Drawn) -> Item:
    seconds, event, order = drawn
    at = _NEW_YEAR + timedelta(seconds=seconds)
    raw = RawRecord("treue.purchases", part, offset, b"k", b"{}", [], at)
    if event is None:
        return Foreign(raw)
    cancelled = PurchaseCancelled(order_id=order, customer_id=None, occurred_at=at, reason="out of stock")
    envelope = Envelope(
        id=UUID(int=event), tenant=_TENANT, type=PurchaseCancelled.TYPE, version=1, source="/t", time=at
    )
    return Incoming(raw, envelope, cancelled, "k", b"h", envelope.id, _TENANT)


async def _chunks(items: Sequence[Item], size: int) -> AsyncGenerator[Sequence[Item]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]


def _steps(partitions: Sequence[Sequence[Item]], size: int) -> list[Step]:
    async def collect() -> list[Step]:
        async with AsyncExitStack() as stack:
            reading = {
                part: await stack.enter_async_context(aclosing(_chunks(items, size)))
                for part, items in enumerate(partitions)
            }
            return [step async for step in abreast(reading)]

    return asyncio.run(collect())


@given(_PARTITIONS, st.integers(1, 5))
def test_every_record_comes_once_in_the_order_of_its_partition(drawn: list[list[Drawn]], size: int) -> None:
    """Whatever the clocks of whoever wrote them said."""
    partitions = [[_item(part, at, each) for at, each in enumerate(items)] for part, items in enumerate(drawn)]
    steps = _steps(partitions, size)
    for part, items in enumerate(partitions):
        assert [item for step in steps for item in step.get(part, ())] == items


@given(_PARTITIONS, st.integers(1, 5))
def test_of_two_partitions_the_earlier_word_about_an_order_comes_first(drawn: list[list[Drawn]], size: int) -> None:
    partitions = [
        [_item(part, at, each) for at, each in enumerate(sorted(items, key=lambda each: each[0]))]
        for part, items in enumerate(drawn)
    ]
    at_step = {
        (part, item.raw.offset): number
        for number, step in enumerate(_steps(partitions, size))
        for part, items in step.items()
        for item in items
    }
    spoken = [item for items in partitions for item in items if isinstance(item, Incoming)]
    for one in spoken:
        for other in spoken:
            if (
                one.raw.part != other.raw.part
                and _about_the_same(one, other)
                and one.raw.timestamp < other.raw.timestamp
            ):
                assert at_step[one.raw.part, one.raw.offset] < at_step[other.raw.part, other.raw.offset]
            elif one.raw.part != other.raw.part and _about_the_same(one, other):
                assert at_step[one.raw.part, one.raw.offset] != at_step[other.raw.part, other.raw.offset]


def _about_the_same(one: Incoming, other: Incoming) -> bool:
    return one.id == other.id or one.event.order_id == other.event.order_id  # type: ignore[attr-defined]


def test_what_has_nothing_to_do_with_each_other_is_worked_side_by_side() -> None:
    partitions = [[_item(part, at, (at, part * 10 + at, f"{part}-{at}")) for at in range(5)] for part in range(3)]
    (step,) = _steps(partitions, 5)
    assert {part: len(items) for part, items in step.items()} == {0: 5, 1: 5, 2: 5}


def test_what_others_wait_for_comes_first() -> None:
    """Profiles wait for their programme, and what waits is tried key by key."""
    turn = in_turn(topic.value for topic in Topic)
    assert list(turn[:2]) == [Topic.PROGRAMMES.value, Topic.CUSTOMERS.value]
    assert sorted(turn) == sorted(topic.value for topic in Topic)
