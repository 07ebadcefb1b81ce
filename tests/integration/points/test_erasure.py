"""N-29 in the ledger: erased stays erased, whatever comes and in whichever order; the books stay whole."""

import asyncio
from datetime import timedelta
from typing import Any

from shared.db.transaction import transaction
from shared.erasures import pseudonym_of
from shared.events.customers import CustomerUpdated
from shared.messaging import inbox
from tests.support.eventually import until
from tests.support.points import APPLICATION, LATER, NOON, Books, Shop
from tests.support.points_api import PointsApi

BACK = LATER + timedelta(days=1)
AFTER = BACK + timedelta(hours=1)


async def orders(books: Books, shop: Shop) -> dict[str, Any]:
    rows = await books.fetch("SELECT order_id, customer_id FROM purchase_order WHERE tenant = $1", shop.tenant)
    return {row["order_id"]: row["customer_id"] for row in rows}


async def api_shop(books: Books) -> Shop:
    """Ada bought for 49.90 and for nothing, and was erased a day later."""
    shop = Shop()
    await books.open(shop)
    await books.post(shop.profile(), shop.bought("o-1"), shop.bought("o-0", 0))
    await books.post(shop.erasure(taken_in_at=LATER))
    return shop


async def test_n_29_a_profile_does_not_bring_the_erased_back(books: Books, api: PointsApi) -> None:
    shop = await api_shop(books)
    refused = await books.post_each(shop.profile(name="nightly", taken_in_at=BACK))
    assert [(each.status, each.reason) for each in refused] == [("rejected", "customer_erased")]
    async with api.key(shop) as client:
        for path in ("balance", "transactions"):
            assert (await client.get(f"/v1/customers/ada/{path}")).status_code == 404
    assert await books.drift(shop) == {}


async def test_n_29_a_purchase_under_an_erased_id_is_a_guests_and_the_old_life_keeps_its_books(
    books: Books, api: PointsApi
) -> None:
    shop = await api_shop(books)
    guest, returned, feedback = await books.post_each(
        shop.bought("o-2", 700, taken_in_at=BACK), shop.returned("o-1", 1000, taken_in_at=BACK),
        shop.feedback(taken_in_at=BACK),
    )  # fmt: skip
    assert [effect["kind"] for effect in guest.effects] == ["order.recorded"]
    assert [effect["points"] for effect in returned.effects] == [10]
    assert feedback.status == "applied"
    old = pseudonym_of(shop.tenant, "ada", 1)
    assert await orders(books, shop) == {"o-1": old, "o-0": old, "o-2": None}
    assert (await books.entries(shop, "ada"), len(await books.entries(shop, old))) == ([], 2)
    async with api.key(shop) as client:
        assert (await client.get("/v1/customers/ada/balance")).status_code == 404
        assert (await client.get(f"/v1/customers/%23{old[1:]}/balance")).status_code == 404
        entry = (await books.entries(shop, old))[0]["id"]
        assert (await client.get(f"/v1/transactions/{entry}/explain")).status_code == 404
    assert await books.drift(shop) == {}


async def test_n_29_who_rejoins_begins_with_an_empty_wallet(books: Books, api: PointsApi) -> None:
    shop = await api_shop(books)
    rejoined, again = await books.post_each(
        shop.profile(name="rejoin", taken_in_at=BACK, rejoin=True),
        shop.profile(name="2", taken_in_at=BACK, rejoin=True),
    )
    assert [effect["kind"] for effect in rejoined.effects] == ["customer_rejoined"]
    assert again.status == "applied"
    await books.post(shop.bought("o-3", 1000, taken_in_at=AFTER), shop.returned("o-1", 1000, taken_in_at=AFTER))
    async with api.key(shop) as client:
        balance = (await client.get("/v1/customers/ada/balance")).json()
        assert (balance["available"], balance["lifetime_earned"], balance["version"]) == (10, 10, 1)
        items = (await client.get("/v1/customers/ada/transactions")).json()["items"]
        assert [item["order_id"] for item in items] == ["o-3"]
    assert (await books.entries(shop, pseudonym_of(shop.tenant, "ada", 1)))[-1]["points"] == -10
    assert await books.drift(shop) == {}


async def test_n_29_events_that_come_late_belong_to_the_life_in_which_they_were_received(books: Books) -> None:
    """The topic of customers is far ahead, as in a rebuild."""
    shop = Shop()
    await books.open(shop)
    await books.post(
        shop.profile(), shop.erasure(taken_in_at=LATER), shop.profile(name="new", taken_in_at=BACK, rejoin=True),
        shop.erasure(name="again", taken_in_at=AFTER),
    )  # fmt: skip
    await books.post(
        shop.bought("first", taken_in_at=NOON), shop.bought("guest", taken_in_at=LATER),
        shop.bought("second", taken_in_at=BACK), shop.bought("guest too", taken_in_at=AFTER),
    )  # fmt: skip
    first, second = (pseudonym_of(shop.tenant, "ada", number) for number in (1, 2))
    assert await orders(books, shop) == {"first": first, "second": second, "guest": None, "guest too": None}
    assert await books.drift(shop) == {}


async def test_n_29_what_overtakes_the_erasure_is_on_record(books: Books) -> None:
    """A purchase that was received after the erasure and is posted before it goes with the old life, for good: a
    replay, which meets the erasure first, judges by the record."""
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1", taken_in_at=LATER + timedelta(seconds=1)))
    await books.post(shop.erasure(taken_in_at=LATER))
    record = "SELECT event_id, customer_id FROM erased_order WHERE tenant = $1"
    old = pseudonym_of(shop.tenant, "ada", 1)
    assert await books.fetch(record, shop.tenant) == [{"event_id": shop.id("buy o-1"), "customer_id": old}]

    replay = Shop(tenant=f"{shop.tenant}-replayed")
    await books.open(replay)
    event = replay.bought("o-1", taken_in_at=LATER + timedelta(seconds=1))
    whose = pseudonym_of(replay.tenant, "ada", 1)
    await books.tamper("INSERT INTO erased_order VALUES ($1, $2, $3)", replay.tenant, event.id, whose)
    await books.post(replay.erasure(taken_in_at=LATER))
    await books.post(event)
    assert await orders(books, replay) == {"o-1": whose}
    assert await books.drift(shop) == await books.drift(replay) == {}


async def test_n_29_a_return_that_waited_finds_its_purchase_over_an_erasure(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.returned("o-1", 1000))
    await books.post(shop.erasure(taken_in_at=LATER))
    await books.post(shop.bought("o-1", taken_in_at=NOON))
    found = await books.fetch("SELECT outcome FROM waiting_return WHERE tenant = $1", shop.tenant)
    assert found == [{"outcome": "applied"}]
    assert await books.drift(shop) == {}


async def test_n_29_pending_points_of_the_erased_become_spendable_for_the_books_alone(books: Books) -> None:
    shop = Shop()
    await books.open(shop, activation_delay_days=1)
    await books.post(shop.bought("o-1"))
    await books.post(shop.erasure(taken_in_at=NOON))
    await books.activate_due()
    assert await books.drift(shop) == {}
    assert await books.entries(shop, "ada") == []


async def test_nobody_is_erased_while_a_batch_is_posted(books: Books) -> None:
    """The batch has its purchase and is not committed; the erasure must not pass it by."""
    shop = Shop()
    await books.open(shop)
    await books.post(shop.profile())
    event = shop.bought("o-1")
    async with transaction(books.engine) as tx:
        effects = await APPLICATION.apply(tx, [event])
        await inbox.record(tx, [event], effects)
        erasing = asyncio.ensure_future(books.post(shop.erasure(taken_in_at=LATER)))
        await until(lambda: _somebody_waits(books))
    await erasing
    assert await orders(books, shop) == {"o-1": pseudonym_of(shop.tenant, "ada", 1)}
    assert await books.drift(shop) == {}


async def _somebody_waits(books: Books) -> bool:
    rows = await books.fetch(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(rows)


async def test_a_profile_of_before_the_erasure_brings_nobody_back_however_late_it_comes(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.profile(), shop.erasure(taken_in_at=LATER))
    event = CustomerUpdated(occurred_at=NOON, customer_id="ada", rejoin=True)
    (late,) = await books.post_each(shop.incoming(event, "late", taken_in_at=BACK))
    assert (late.status, late.reason) == ("rejected", "customer_erased")
    assert await books.drift(shop) == {}
