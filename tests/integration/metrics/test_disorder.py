"""Whatever way the events come (late, twice, returns first, from two partitions at once), the tables are the same."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zlib import crc32

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.messaging.incoming import Incoming, Outcome
from tests.support.eventually import until
from tests.support.lanes import Log
from tests.support.metrics import APPLICATION, Metrics, Shop

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
Sums = tuple[int, int, int]  # orders, paid, given back


@dataclass(frozen=True)
class Story:
    """What happened to one order. `returned`: shares of the total in quarters and days after the purchase."""

    customer: str | None
    day: int
    total: int
    returned: tuple[tuple[int, int], ...]
    cancelled: bool
    twice: bool  # the shop sends it again under another event id
    anonymous: bool  # its returns do not say whose order it was, and come by another partition


stories = st.lists(
    st.builds(
        Story,
        customer=st.sampled_from(["ada", "bob", "eve", None]),
        day=st.integers(0, 5),
        total=st.integers(0, 9_999).map(lambda quarters: quarters * 4),
        returned=st.lists(st.tuples(st.integers(1, 2), st.integers(0, 3)), max_size=2).map(tuple),
        cancelled=st.integers(0, 4).map(lambda n: n == 0),
        twice=st.integers(0, 4).map(lambda n: n == 0),
        anonymous=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def events_of(shop: Shop, story: Story, order: str) -> list[Incoming]:
    at, teller = START + timedelta(days=story.day), None if story.anonymous else story.customer
    found = [shop.bought(order, story.total, story.customer, at)]
    if story.twice and not story.cancelled:  # there, whether it came before or after the cancellation decides
        found.append(shop.bought(order, story.total, story.customer, at, name=f"again {order}"))
    for number, (quarters, later) in enumerate(story.returned):
        amount, when = story.total * quarters // 4, at + timedelta(days=later)
        found.append(shop.returned(order, amount, teller, when, name=f"return {number} {order}"))
    if story.cancelled:
        found.append(shop.cancelled(order, teller, at + timedelta(days=9)))
    return found


def expected(told: Sequence[Story]) -> dict[tuple[str | None, date], Sums]:
    """By hand: what each customer's (None: the guests') days must hold."""
    days: defaultdict[tuple[str | None, date], Counter[str]] = defaultdict(Counter)
    for story in told:
        if story.cancelled:
            continue
        day = (START + timedelta(days=story.day)).date()
        days[story.customer, day].update(orders=1, paid=story.total)
        for quarters, later in story.returned:
            days[story.customer, day + timedelta(days=later)].update(back=story.total * quarters // 4)
    return {key: (day["orders"], day["paid"], day["back"]) for key, day in days.items() if any(day.values())}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=stories, seed=st.integers(0, 2**32), batch=st.integers(1, 20))
async def test_any_order_of_events_gives_the_same_tables(
    metrics: Metrics, told: list[Story], seed: int, batch: int
) -> None:
    shop, dice = Shop(time_zone="UTC"), Random(seed)
    await metrics.apply([shop.programme()])
    sent = [event for number, story in enumerate(told) for event in events_of(shop, story, f"o-{number}")]
    sent += dice.choices(sent, k=len(sent) // 3)
    dice.shuffle(sent)
    parts: dict[int, list[Incoming]] = {0: [], 1: []}
    for event in sent:
        parts[crc32(event.key.encode()) % 2].append(event)
    log = Log(metrics)
    await asyncio.gather(*(log.consume(part, events, batch) for part, events in parts.items()))

    assert await stored(metrics, shop) == expected(told)
    assert not await metrics.drift(shop.tenant)


async def stored(metrics: Metrics, shop: Shop) -> dict[tuple[str | None, date], Sums]:
    rows = await metrics.fetch(
        """
        SELECT customer, business_date, orders::bigint, gross_minor::bigint, refunded_minor::bigint
        FROM customer_day WHERE tenant = $1
        UNION ALL
        SELECT NULL, business_date, sum(orders), sum(gross_minor)::bigint, sum(refunded_minor)::bigint
        FROM day_total WHERE tenant = $1 AND guest GROUP BY business_date
        """,
        shop.tenant,
    )
    return {(customer, day): tuple(sums) for customer, day, *sums in rows if any(sums)}  # type: ignore[misc]


async def test_two_returns_of_an_order_take_turns(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.bought("o1", 100)])
    second = await in_between(metrics, shop.returned("o1", 60, name="one"), shop.returned("o1", 60, name="two", part=1))

    assert second.reason == "return_exceeds_purchase"
    assert not await metrics.drift(shop.tenant)


async def test_two_orders_of_a_customer_take_turns(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.bought("o1", 100)])
    second = await in_between(metrics, shop.bought("o2", 100), shop.bought("o3", 100, part=1))

    assert second.status == "applied"
    assert await stored(metrics, shop) == {("ada", date(2026, 3, 1)): (3, 300, 0)}
    assert not await metrics.drift(shop.tenant)


async def in_between(metrics: Metrics, first: Incoming, second: Incoming) -> Outcome:
    """Apply `second` in another transaction while that of `first` is still open."""
    async with metrics.tx() as tx:
        await APPLICATION.apply(tx, [first])
        pid = await tx.raw.fetchval("SELECT pg_backend_pid()")
        late = asyncio.create_task(metrics.outcomes(second))

        async def waits() -> bool:
            query = "SELECT count(*) FROM pg_stat_activity WHERE $1 = any(pg_blocking_pids(pid))"
            return (await metrics.fetch(query, pid))[0][0] > 0  # type: ignore[no-any-return]

        await until(waits)
    return (await late)[0]


async def test_a_purchase_and_its_return_meet_on_the_order_row(metrics: Metrics, shop: Shop) -> None:
    """Both in flight at the same time, each blind for the other's uncommitted row: neither may be lost."""
    log = Log(metrics)
    bought = [shop.bought(f"o-{n}", 100, "ada", START) for n in range(200)]
    returned = [shop.returned(f"o-{n}", 100, None, START) for n in range(200)]
    await asyncio.gather(log.consume(0, bought, 50), log.consume(1, returned, 50))

    assert await stored(metrics, shop) == {("ada", START.date()): (200, 20_000, 20_000)}
    assert not await metrics.drift(shop.tenant)
