"""What counts, what does not, and what becomes of it later."""

from datetime import UTC, date, datetime

import pytest

from services.metrics.adapters import queries
from services.metrics.domain.figures import OrderValue, PurchaseFrequency, RepeatPurchase
from tests.support.metrics import Metrics, Shop

MARCH = ("2026-03-01", "2026-04-01")
APRIL = ("2026-04-01", "2026-05-01")
IN_APRIL = datetime(2026, 4, 2, 12, tzinfo=UTC)


async def value(metrics: Metrics, shop: Shop, period: tuple[str, str] = MARCH) -> OrderValue:
    return await metrics.figure(queries.order_value, shop, *period)  # type: ignore[no-any-return]


async def test_a_purchase_counts_once_whatever_event_brings_it(metrics: Metrics, shop: Shop) -> None:
    first, again = await metrics.outcomes(shop.bought("o1"), shop.bought("o1", name="another event"))
    later = (await metrics.outcomes(shop.bought("o1", name="a third event")))[0]

    assert first.effects == ({"kind": "order.counted", "order_id": "o1"},)
    assert (again.status, again.reason) == ("rejected", "order_already_counted")
    assert (later.status, later.reason) == ("rejected", "order_already_counted")
    assert await value(metrics, shop) == OrderValue(1, 0, 10_000, 0)


async def test_a_refund_is_booked_on_its_own_day_and_the_order_stays(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.bought("o1"), shop.returned("o1", 10_000, at=IN_APRIL)])

    assert await value(metrics, shop) == OrderValue(1, 0, 10_000, 0)
    assert await value(metrics, shop, APRIL) == OrderValue(0, 0, 0, 10_000)
    assert await metrics.figure(queries.repeat_purchase, shop, *MARCH) == RepeatPurchase(1, 0)
    assert await metrics.figure(queries.repeat_purchase, shop, *APRIL) == RepeatPurchase(0, 0)
    assert not await metrics.drift(shop.tenant)


async def test_returns_add_up_to_the_order_and_no_further(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.bought("o1")])
    fits, exceeds, last, over = await metrics.outcomes(
        shop.returned("o1", 6_000), shop.returned("o1", 4_002), shop.returned("o1", 4_000), shop.returned("o1", 1)
    )

    assert fits.effects == ({"kind": "order.refunded", "order_id": "o1"},)
    assert (exceeds.status, exceeds.reason) == ("rejected", "return_exceeds_purchase")
    assert (last.status, over.status) == ("applied", "rejected")
    assert (await value(metrics, shop)).refunds_minor == 10_000
    assert not await metrics.drift(shop.tenant)


@pytest.mark.parametrize("apart", [True, False])
async def test_returns_wait_for_their_purchase(metrics: Metrics, shop: Shop, apart: bool) -> None:
    early = [
        shop.returned("o1", 9_000, at=IN_APRIL, part=3, customer=None),
        shop.returned("o1", 2_000, part=3, customer=None),
        shop.returned("o1", 500, customer="bob"),
    ]
    if apart:
        assert {outcome.effects[0]["kind"] for outcome in await metrics.outcomes(*early)} == {"refund.waiting"}
        assert await value(metrics, shop) == OrderValue(0, 0, 0, 0)
        await metrics.apply([shop.bought("o1")])
    else:
        await metrics.apply([*early, shop.bought("o1")])

    # 2,000 in March came first by its own time; with it 9,000 is too much, and 500 is somebody else's.
    assert await value(metrics, shop) == OrderValue(1, 0, 10_000, 2_000)
    assert (await value(metrics, shop, APRIL)).refunds_minor == 0
    assert not await metrics.drift(shop.tenant)


async def test_a_cancellation_takes_the_order_and_its_refunds_out(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.bought("o1"), shop.bought("o2", 500)])
    await metrics.apply([shop.returned("o1", 2_000, at=IN_APRIL)])
    voided, again, late = await metrics.outcomes(
        shop.cancelled("o1"), shop.cancelled("o1", name="again"), shop.returned("o1", 1)
    )

    assert voided.effects == ({"kind": "order.voided", "order_id": "o1"},)
    assert (again.reason, late.reason) == ("order_already_cancelled", "return_exceeds_purchase")
    assert await value(metrics, shop) == OrderValue(1, 0, 500, 0)
    assert (await value(metrics, shop, APRIL)).refunds_minor == 0
    assert not await metrics.drift(shop.tenant)


async def test_a_cancellation_before_its_purchase(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.cancelled("o1", part=5), shop.cancelled("o2", customer="bob")])
    mine, not_mine = await metrics.outcomes(shop.bought("o1"), shop.bought("o2", 500))

    assert mine.effects[0]["kind"] == "order.voided"
    assert not_mine.effects[0]["kind"] == "order.counted"
    assert await value(metrics, shop) == OrderValue(1, 0, 500, 0)
    assert not await metrics.drift(shop.tenant)


async def test_history_that_moves_is_read_anew(metrics: Metrics, shop: Shop) -> None:
    async def state() -> tuple[object, ...]:
        found = await metrics.fetch(
            "SELECT first_day, second_day, last_day, days, orders FROM customer_state WHERE tenant = $1", shop.tenant
        )
        return found[0]

    def at(day: int) -> datetime:
        return datetime(2026, 3, day, 12, tzinfo=UTC)

    await metrics.apply([shop.bought("o5", at=at(5)), shop.bought("o5b", at=at(5)), shop.bought("o9", at=at(9))])
    assert await state() == (date(2026, 3, 5), date(2026, 3, 5), date(2026, 3, 9), 2, 3)
    await metrics.apply([shop.bought("o2", at=at(2))])
    assert await state() == (date(2026, 3, 2), date(2026, 3, 5), date(2026, 3, 9), 3, 4)
    await metrics.apply([shop.cancelled("o2"), shop.cancelled("o9"), shop.cancelled("o5")])
    assert await state() == (date(2026, 3, 5), None, date(2026, 3, 5), 1, 1)
    await metrics.apply([shop.cancelled("o5b")])
    assert await state() == (None, None, None, 0, 0)
    await metrics.apply([shop.bought("o7", at=at(7))])
    assert await state() == (date(2026, 3, 7), None, date(2026, 3, 7), 1, 1)
    assert not await metrics.drift(shop.tenant)


async def test_guests_are_revenue_but_no_customers(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.bought("o1"), shop.bought("o2", 4_000, customer=None), shop.returned("o2", 1_000, None)])

    assert await value(metrics, shop) == OrderValue(2, 1, 14_000, 1_000)
    assert await metrics.figure(queries.repeat_purchase, shop, *MARCH) == RepeatPurchase(1, 0)
    assert await metrics.figure(queries.purchase_frequency, shop, *MARCH) == PurchaseFrequency(1, 1)
    assert not await metrics.drift(shop.tenant)


async def test_an_order_of_nothing_counts(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.bought("o1", 0), shop.bought("o2", 300)])

    assert await metrics.figure(queries.repeat_purchase, shop, *MARCH) == RepeatPurchase(1, 1)
    assert await value(metrics, shop) == OrderValue(2, 0, 300, 0)


async def test_days_are_those_of_the_shop(metrics: Metrics) -> None:
    shop = Shop(time_zone="America/New_York")
    await metrics.apply([shop.programme()])
    await metrics.apply([shop.bought("o1", at=datetime(2026, 4, 1, 3, 59, tzinfo=UTC))])  # 23:59 in March, UTC-4
    await metrics.apply([shop.bought("o2", at=datetime(2026, 4, 1, 4, 0, tzinfo=UTC))])
    await metrics.apply([shop.bought("o3", at=datetime(2026, 3, 1, 4, 59, tzinfo=UTC))])  # February, UTC-5
    await metrics.apply([shop.bought("o4", at=datetime(2026, 3, 1, 5, 0, tzinfo=UTC))])

    assert (await value(metrics, shop)).orders == 2
    assert (await value(metrics, shop, APRIL)).orders == 1


async def test_other_money_is_not_added(metrics: Metrics, shop: Shop) -> None:
    bought, _, returned, negative = await metrics.outcomes(
        shop.bought("o1", currency="USD"), shop.bought("o2"), shop.returned("o2", 1, currency="USD"),
        shop.returned("o2", -1),
    )  # fmt: skip

    assert (bought.reason, returned.reason) == ("currency_not_of_programme", "currency_not_of_programme")
    assert negative.reason == "amount_negative"
    assert await value(metrics, shop) == OrderValue(1, 0, 10_000, 0)


async def test_tenants_do_not_mix(metrics: Metrics, shop: Shop) -> None:
    other = Shop(currency="USD")
    await metrics.apply([other.programme()])
    await metrics.apply([shop.bought("o1"), other.bought("o1", 77), other.returned("o1", 7), shop.bought("o2")])

    assert await value(metrics, shop) == OrderValue(2, 0, 20_000, 0)
    assert await value(metrics, other) == OrderValue(1, 0, 77, 7)


async def test_events_wait_for_their_programme(metrics: Metrics) -> None:
    shop = Shop()
    events = [shop.bought("o1"), shop.answered("a1", 9)]
    assert {(o.status, o.reason) for o in await metrics.outcomes(*events)} == {("waiting", "programme_unknown")}
    assert await metrics.fetch("SELECT FROM shop_order WHERE tenant = $1", shop.tenant) == []

    assert {o.status for o in await metrics.outcomes(*events, shop.programme())} == {"applied"}
    assert (await value(metrics, shop)).orders == 1


async def test_an_older_programme_does_not_replace_a_newer_one(metrics: Metrics) -> None:
    shop = Shop()
    await metrics.apply([shop.programme(2, "Asia/Tokyo")])
    await metrics.apply([shop.programme(1)])
    unknown = await metrics.outcomes(shop.programme(3, "Europe/Atlantis"))

    assert await metrics.fetch("SELECT version, time_zone FROM programme WHERE tenant = $1", shop.tenant) == [
        (2, "Asia/Tokyo")
    ]
    assert unknown[0].reason == "time_zone_unknown"
