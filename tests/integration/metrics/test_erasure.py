"""N-29 in the figures: bodies go, figures stay under a pseudonym, and an erased id is a guest."""

from datetime import timedelta
from typing import Any

from shared.erasures import pseudonym_of
from shared.messaging import inbox
from shared.messaging.incoming import Outcome
from tests.support.metrics import APPLICATION, NOON, Metrics, Shop

LATER = NOON + timedelta(days=1)
BACK = LATER + timedelta(days=1)


async def customers(metrics: Metrics, shop: Shop) -> dict[str, Any]:
    rows = await metrics.fetch("SELECT order_id, customer FROM shop_order WHERE tenant = $1", shop.tenant)
    return dict(rows)


async def bodies(metrics: Metrics, shop: Shop) -> list[tuple[Any, ...]]:
    return await metrics.fetch(
        "SELECT customer, type FROM customer_record WHERE tenant = $1 ORDER BY received_at, type", shop.tenant
    )


async def test_n_29_the_bodies_go_and_the_figures_stay_under_a_pseudonym(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.profile("p"), shop.bought("o1"), shop.returned("o1", 100), shop.answered("a1", 9)])
    await metrics.apply([shop.returned("unknown", 100), shop.cancelled("other")])
    assert len(await bodies(metrics, shop)) == 5
    await metrics.apply([shop.erasure(received_at=LATER)])
    assert await bodies(metrics, shop) == []
    old = pseudonym_of(shop.tenant, "ada", 1)
    assert await customers(metrics, shop) == {"o1": old, "unknown": None, "other": None}
    for table in ("customer_day", "customer_state", "feedback"):
        assert await metrics.fetch(f"SELECT DISTINCT customer FROM {table} WHERE tenant = $1", shop.tenant) == [(old,)]
    assert (await metrics.drift(shop.tenant)).keys() <= {"answers"}  # these events went by no inbox


async def test_n_29_an_erased_id_is_a_guest_until_it_rejoins(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.erasure(received_at=LATER)])
    refused = await metrics.outcomes(shop.profile("nightly", received_at=LATER))
    assert refused == [Outcome("rejected", "customer_erased")]
    rejoined = await metrics.outcomes(shop.profile("back", received_at=BACK, rejoin=True))
    assert rejoined[0].effects[0]["kind"] == "customer_rejoined"
    await metrics.apply(
        [
            shop.bought("before", received_at=NOON), shop.bought("guest", received_at=LATER),
            shop.bought("new", received_at=BACK),
        ]
    )  # fmt: skip
    old = pseudonym_of(shop.tenant, "ada", 1)
    assert await customers(metrics, shop) == {"before": old, "guest": None, "new": "ada"}
    assert await bodies(metrics, shop) == [("ada", "purchase.completed")]
    assert not await metrics.drift(shop.tenant)


async def test_n_29_what_overtakes_the_erasure_is_on_record(metrics: Metrics, shop: Shop) -> None:
    event = shop.bought("o1", received_at=LATER + timedelta(seconds=1))
    async with metrics.tx() as tx:
        effects = await APPLICATION.apply(tx, [event])
        await inbox.record(tx, [event], effects)
    await metrics.apply([shop.erasure(received_at=LATER)])
    found = await metrics.fetch("SELECT event_id, customer_id FROM erased_order WHERE tenant = $1", shop.tenant)
    assert found == [(event.id, pseudonym_of(shop.tenant, "ada", 1))]
    assert await bodies(metrics, shop) == []


async def test_bodies_are_kept_of_customers_and_of_nobody_else(metrics: Metrics, shop: Shop) -> None:
    event = shop.answered("a1", 3)
    await metrics.apply([event, shop.bought("guest", customer=None), shop.bought("mine")])
    rows = await metrics.fetch("SELECT event_id, body FROM customer_record WHERE tenant = $1", shop.tenant)
    assert len(rows) == 2
    assert (event.id, (event.raw.value or b"").decode()) in rows


async def test_a_profile_of_before_the_erasure_brings_nobody_back(metrics: Metrics, shop: Shop) -> None:
    await metrics.apply([shop.erasure(received_at=BACK)])
    (late,) = await metrics.outcomes(shop.profile("late", received_at=BACK, at=NOON, rejoin=True))
    assert (late.status, late.reason) == ("rejected", "customer_erased")
