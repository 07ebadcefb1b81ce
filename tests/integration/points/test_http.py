"""The HTTP side over the real database, with tokens as the gateway makes them."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.clock import SystemClock
from shared.db.engine import create_engine
from shared.events import registry
from shared.ids import new_id
from shared.messaging.incoming import Incoming
from tests.support.points import LATER, NOON, Books, Shop
from tests.support.points_api import PointsApi


async def balance_of(client: httpx.AsyncClient, customer: str = "ada", **more: Any) -> httpx.Response:
    return await client.get(f"/v1/customers/{customer}/balance", **more)


async def test_a_balance_has_all_fields_and_an_etag_that_holds_until_the_next_entry(
    books: Books, api: PointsApi
) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1"))
    async with api.key(shop) as client:
        first = await balance_of(client)
        assert first.json() == {
            "customer_id": "ada", "available": 49, "pending": 0, "held": 0, "debt": 0, "lifetime_earned": 49,
            "tier": None, "expiring": [], "version": 1,
        }  # fmt: skip
        tag = first.headers["etag"]
        assert tag.startswith('"')
        same = await balance_of(client, headers={"if-none-match": f'"other", W/{tag}'})
        assert (same.status_code, same.content) == (304, b"")
        await books.post(shop.bought("o-2"))
        assert (await balance_of(client, headers={"if-none-match": tag})).json()["available"] == 98


async def test_nobody_reads_what_is_not_theirs(books: Books, api: PointsApi) -> None:
    shop, other = Shop(), Shop()
    await books.open(shop)
    await books.open(other)
    await books.post(shop.bought("o-1"), shop.bought("o-2", customer="bob"))
    (entry,) = await books.entries(shop, "bob")
    paths = ("/v1/customers/bob/balance", "/v1/customers/bob/transactions", f"/v1/transactions/{entry['id']}/explain")
    for client in (api.key(other), api.customer(shop, "ada")):
        async with client:
            for path in paths:
                answer = await client.get(path)
                assert answer.status_code == 404, path
                assert answer.json()["code"] in ("customer_not_found", "transaction_not_found")
    async with api.customer(shop, "bob") as client:
        assert (await client.get("/v1/customers/me/balance")).json()["customer_id"] == "bob"
        for path in paths:
            assert (await client.get(path)).status_code == 200, path
    async with api.key(shop, scopes=("events:write",)) as client:
        for path in paths:
            assert (await client.get(path)).status_code == 403, path
    async with api.nobody() as client:
        for path in paths:
            assert (await client.get(path)).status_code == 401, path


async def test_a_customer_exists_by_a_profile_until_erased(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    async with api.key(shop) as client:
        assert (await balance_of(client)).json()["code"] == "customer_not_found"
        await books.post(shop.profile())
        assert (await balance_of(client)).json()["available"] == 0
        assert (await client.get("/v1/customers/ada/transactions")).json() == {"items": [], "next": None}
        await books.post(shop.bought("o-1"), shop.erasure())
        assert (await balance_of(client)).status_code == 404
        (refused,) = await books.post_each(shop.profile(name="back"))
        assert (refused.status, refused.reason) == ("rejected", "customer_erased")
        assert (await balance_of(client)).status_code == 404


async def test_a_customer_exists_by_feedback_or_an_activity_alone(books: Books, api: PointsApi) -> None:
    shop = Shop()
    async with api.key(shop) as client:
        for customer, event in (("ada", shop.feedback()), ("bob", shop.activity("bob"))):
            assert (await balance_of(client, customer)).status_code == 404
            await books.post(event)
            query = {"after_event": str(event.id), "wait_ms": "0"}
            balance = (await balance_of(client, customer, params=query)).json()
            assert (balance["available"], balance["version"], balance["after_event"]) == (0, 0, "applied")
        await books.open(shop)
        await books.post(shop.bought("o-1"), shop.feedback(name="more"), shop.feedback("eve"))
        assert (await balance_of(client)).json()["available"] == 49
    assert await books.drift(shop) == {}


async def test_read_your_writes_waits_for_the_event(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    query = {"after_event": str(shop.id("buy o-1")), "wait_ms": "5000"}
    async with api.key(shop) as client:
        waiting = asyncio.create_task(balance_of(client, params=query))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await books.post(shop.bought("o-1"))
        answer = (await waiting).json()
        assert (answer["available"], answer["after_event"]) == (49, "applied")
        late = await balance_of(client, params={"after_event": str(new_id()), "wait_ms": "10"})
        assert late.json()["after_event"] == "pending"
        for bad in ({"after_event": "1"}, {"after_event": str(new_id()), "wait_ms": "10001"}):
            assert (await balance_of(client, params=bad)).status_code == 422


async def test_what_is_known_of_the_event_is_part_of_the_etag(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1"))
    asked = [{}, *({"after_event": str(each), "wait_ms": "0"} for each in (shop.id("buy o-1"), new_id()))]
    async with api.key(shop) as client:
        answers = [await balance_of(client, params=query) for query in asked]
        assert [answer.json().get("after_event") for answer in answers] == [None, "applied", "pending"]
        tags = [answer.headers["etag"] for answer in answers]
        assert len(set(tags)) == 3
        for query, allowed in zip(asked, ({tags[0]}, {tags[1]}, set()), strict=True):
            for tag in tags:
                again = await balance_of(client, params=query, headers={"if-none-match": tag})
                assert again.status_code == (304 if tag in allowed else 200), (query, tag)
        assert (await balance_of(client, params=asked[2], headers={"if-none-match": "*"})).status_code == 200


async def test_a_return_that_waits_is_pending_and_accepted_until_its_purchase_comes(
    books: Books, api: PointsApi
) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.profile(), shop.returned("o-1", 3000))
    early = shop.id("return o-1 3000")
    async with api.key(shop) as client:
        seen = (await client.get(f"/internal/events/{early}")).json()
        assert (seen["outcome"], seen["effects"]) == ("accepted", [])
        query = {"after_event": str(early), "wait_ms": "0"}
        assert (await balance_of(client, params=query)).json()["after_event"] == "pending"
        await books.post(shop.bought("o-1", 8000))
        seen = (await client.get(f"/internal/events/{early}")).json()
        assert (seen["outcome"], seen["effects"][0]["points"]) == ("applied", 30)
        balance = (await balance_of(client, params=query)).json()
        assert (balance["available"], balance["after_event"]) == (50, "applied")


async def test_pending_points_become_spendable_at_their_time_with_or_without_the_worker(
    books: Books, api: PointsApi
) -> None:
    shop = Shop()
    await books.open(shop, activation_delay_days=14)
    now = SystemClock().now()
    await books.post(shop.bought("o-1", at=now - timedelta(days=13), taken_in_at=now))
    async with api.key(shop) as client:
        before = await balance_of(client)
        assert (before.json()["available"], before.json()["pending"]) == (0, 49)
        for statement in ("UPDATE lot SET activate_at = now()", "UPDATE wallet SET next_activation_at = now()"):
            await books.tamper(f"{statement} WHERE tenant = $1", shop.tenant)
        due = await balance_of(client)
        assert (due.json()["available"], due.json()["pending"], due.json()["version"]) == (49, 0, 1)
        assert due.headers["etag"] != before.headers["etag"]
        await books.activate_due()
        after = await balance_of(client)
        assert (after.json()["available"], after.json()["pending"], after.json()["version"]) == (49, 0, 2)
        await books.activate_due()
        assert (await balance_of(client)).json()["version"] == 2
    assert [entry["kind"] for entry in await books.entries(shop)] == ["earned", "activated"]
    assert await books.drift(shop) == {}


async def test_the_ledger_pages_without_gaps(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    for number in range(23):
        await books.post(shop.bought(f"o-{number}", 100 * (number + 1)))
    async with api.key(shop) as client:
        items: list[dict[str, Any]] = []
        query = {"limit": "5"}
        while True:
            page = (await client.get("/v1/customers/ada/transactions", params=query)).json()
            items += page["items"]
            if not page["next"]:
                break
            query["cursor"] = page["next"]
        assert [item["points"] for item in items] == list(range(23, 0, -1))
        assert (await client.get("/v1/customers/ada/transactions", params={"cursor": "abc"})).status_code == 422


async def test_an_entry_explains_itself(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop, points_per_unit=2)
    await books.post(shop.bought("o-1", 1075), shop.returned("o-1", 500))
    earned, clawed = await books.entries(shop)
    async with api.key(shop) as client:
        why = (await client.get(f"/v1/transactions/{earned['id']}/explain")).json()
        assert why["arithmetic"] == "10.75 EUR x 2 points = 21.50, rounded down: 21 points."
        assert (why["programme_version"], why["lot"]["remaining"]) == (1, 11)
        back = (await client.get(f"/v1/transactions/{clawed['id']}/explain")).json()
        assert back["lots_used"] == [
            {"entry_id": str(earned["id"]), "points": 10, "earned_at": NOON.isoformat().replace("+00:00", "Z")}
        ]
        assert "5.00 have come back in all" in back["arithmetic"]


async def test_programme_versions(books: Books, api: PointsApi) -> None:
    shop = Shop()
    async with api.key(shop) as client:
        assert (await client.get("/v1/programme")).json()["code"] == "programme_not_found"
        assert (await client.get(f"/internal/tenants/{shop.tenant}")).status_code == 404
        faults = (await client.put("/v1/programme", json={"time_zone": "Mars/North", "points_per_unit": "-1"})).json()
        assert {fault["pointer"] for fault in faults["errors"]} == {"/time_zone", "/points_per_unit"}
        missing = (await client.put("/v1/programme", json={})).json()
        assert {fault["pointer"] for fault in missing["errors"]} == {"/name", "/currency"}
        first = (await client.put("/v1/programme", json={"name": "Treue", "currency": "EUR"})).json()
        assert {name: first[name] for name in ("points_per_unit", "rounding", "activation_delay", "version")} == {
            "points_per_unit": "1", "rounding": "floor", "activation_delay": "P0D", "version": 1,
        }  # fmt: skip
        again = (await client.put("/v1/programme", json={"name": "Treue", "points_per_unit": "1.000"})).json()
        assert again == first
        second = (await client.put("/v1/programme", json={"points_per_unit": "2", "activation_delay": "P14D"})).json()
        assert (second["version"], second["name"], second["activation_delay"]) == (2, "Treue", "P14D")
        fixed = await client.put("/v1/programme", json={"currency": "USD"})
        assert (fixed.status_code, fixed.json()["code"]) == (409, "currency_fixed")
        assert (await client.get("/v1/programme")).json() == second | {"scheduled": []}
        listed = (await client.get("/v1/programme/versions", params={"limit": "1"})).json()
        assert [each["version"] for each in listed["items"]] == [2]
        assert (await client.get(f"/internal/tenants/{shop.tenant}")).json()["programme_version"] == 2
    async with api.key(shop, scopes=("customers:read",)) as client:
        assert (await client.put("/v1/programme", json={"name": "x"})).status_code == 403


async def test_two_people_do_not_undo_each_others_programme(books: Books, api: PointsApi) -> None:
    shop = Shop()
    async with api.key(shop) as client:
        nothing = await client.put("/v1/programme", json={"name": "x", "currency": "EUR"}, headers={"if-match": "*"})
        assert (nothing.status_code, nothing.json()["code"]) == (412, "precondition_failed")
        only_once = {"json": {"name": "Treue", "currency": "EUR"}, "headers": {"if-none-match": "*"}}
        first = await client.put("/v1/programme", **only_once)
        assert (first.status_code, (await client.put("/v1/programme", **only_once)).status_code) == (200, 412)
        seen = await client.get("/v1/programme")
        assert first.headers["etag"] == seen.headers["etag"]
        known = await client.get("/v1/programme", headers={"if-none-match": seen.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")
        mine = {"headers": {"if-match": seen.headers["etag"]}}
        changed = await client.put("/v1/programme", json={"points_per_unit": "2"}, **mine)
        assert changed.status_code == 200
        late = await client.put("/v1/programme", json={"points_per_unit": "3"}, **mine)
        assert (late.status_code, late.json()["etag"]) == (412, changed.headers["etag"])
        assert (await client.get("/v1/programme")).json()["points_per_unit"] == "2"


async def test_what_the_programme_shows_can_be_put_back(books: Books, api: PointsApi) -> None:
    shop = Shop()
    async with api.key(shop) as client:
        await client.put("/v1/programme", json={"name": "Treue", "currency": "EUR"})
        later = {"points_per_unit": "3", "effective_from": "2999-01-01T00:00:00Z"}
        await client.put("/v1/programme", json=later)
        seen = (await client.get("/v1/programme")).json()
        assert (await client.put("/v1/programme", json=seen)).json()["version"] == seen["version"]
        changed = (await client.put("/v1/programme", json=seen | {"points_per_unit": "5"})).json()
        assert (changed["version"], changed["points_per_unit"]) == (3, "5")
        assert (await client.get("/v1/programme")).json()["points_per_unit"] == "5"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a\nb"), ("name", "a\u0007"), ("name", " "), ("time_zone", "localtime"), ("time_zone", "Factory"),
        ("locale", "xx"), ("locale", "zz-ZZ"), ("locale", "german"), ("effective_from", 1_700_000_000),
        ("effective_from", "1700000000"), ("effective_from", "2026-11-01T10:00:00"), ("currency", "eur"),
    ],
)  # fmt: skip
async def test_a_term_that_is_none_is_refused_by_name(books: Books, api: PointsApi, field: str, value: Any) -> None:
    async with api.key(Shop()) as client:
        answer = await client.put("/v1/programme", json={"name": "Treue", "currency": "EUR"} | {field: value})
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{field}"], answer.text
        assert answer.status_code == 422


async def test_locales_have_one_form(books: Books, api: PointsApi) -> None:
    async with api.key(Shop()) as client:
        for given, shown in (("de_DE", "de-DE"), ("en-US-u-ca-gregory", "en-US"), ("zh-Hant-TW", "zh-Hant-TW")):
            answer = await client.put("/v1/programme", json={"name": "Treue", "currency": "EUR", "locale": given})
            assert answer.json()["locale"] == shown


async def test_who_may_read_the_programme(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    for scope, status in (("programme:read", 200), ("programme:write", 200), ("events:write", 403)):
        async with api.key(shop, scopes=(scope,)) as client:
            assert (await client.get("/v1/programme")).status_code == status
            assert (await client.get("/v1/programme/versions")).status_code == status
    async with api.customer(shop, "ada") as client:
        assert (await client.get("/v1/programme")).status_code == 200
        assert (await client.get(f"/internal/tenants/{shop.tenant}")).status_code == 404
    async with api.key(Shop()) as client:
        assert (await client.get(f"/internal/tenants/{shop.tenant}")).status_code == 404


async def test_nothing_personal_is_kept_on_the_way(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    async with api.key(shop) as client:
        for path in ("balance", "transactions", "nothing"):
            answer = await client.get(f"/v1/customers/ada/{path}")
            assert answer.headers.get_list("cache-control") == ["no-store"]


async def test_a_scheduled_version_is_shown_apart_and_not_taken_over_by_a_change_of_today(
    books: Books, api: PointsApi
) -> None:
    shop = Shop()
    await books.open(shop)
    later = {"points_per_unit": "3", "effective_from": "2999-01-01T00:00:00Z"}
    async with api.key(shop) as client:
        planned = (await client.put("/v1/programme", json=later)).json()
        assert (await client.put("/v1/programme", json=later)).json() == planned
        today = (await client.put("/v1/programme", json={"name": "renamed"})).json()
        assert (today["points_per_unit"], today["version"]) == ("1", 3)
        assert (await client.get("/v1/programme")).json() == today | {"scheduled": [planned]}
        quote = (await client.post("/v1/quotes", content=_asked(shop.bought("o", 1000)))).json()
        assert (quote["points"], quote["programme_version"]) == (10, 1)  # as a purchase of then
        now = shop.bought("o", 1000, at=SystemClock().now())
        assert (await client.post("/v1/quotes", content=_asked(now))).json()["programme_version"] == 3


async def test_a_quote_is_what_the_purchase_earns(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    bought = shop.bought("o", 4990, lines=[("a", 2, 1000), ("b", 1, 2990)])
    async with api.customer(shop, "ada") as client:
        quote = (await client.post("/v1/quotes", content=_asked(bought))).json()
        assert quote["points"] == 49
        assert quote["lines"] == [
            {"line_id": "a", "paid": "20.00", "points": 20}, {"line_id": "b", "paid": "29.90", "points": 29},
        ]  # fmt: skip
        assert quote["not_more_because"][0]["reason"] == "rounding"
        assert (await client.post("/v1/quotes", content=_asked(shop.bought("o", currency="USD")))).status_code == 422
        assert (await client.post("/v1/quotes", content=b'{"total": "1"}')).status_code == 400


def _asked(bought: Incoming) -> bytes:
    """As the gateway asks."""
    return registry.encode(bought.event)


async def test_a_rejected_event_is_shown_with_its_reason(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1"), shop.bought("o-1", name="again", at=LATER))
    async with api.key(shop) as client:
        seen = (await client.get(f"/internal/events/{shop.id('again')}")).json()
        assert (seen["outcome"], seen["reason"]) == ("rejected", "order_already_counted")
        assert (await client.get(f"/internal/events/{new_id()}")).status_code == 404


async def test_readers_that_come_together_share_queries_and_each_gets_an_answer(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(*(shop.bought(f"o-{number}", 100 * number, customer=f"c-{number}") for number in range(1, 40)))
    for _ in range(20):
        asked = [books.reader.read(shop.tenant, f"c-{number}") for number in range(50)]
        async with asyncio.timeout(5):
            found = await asyncio.gather(*asked)
        assert [each and each.posted for each in found] == [None, *range(1, 40), *[None] * 10]
        await asyncio.sleep(random.choice((0, 0.001, 0.1999, 0.2, 0.2001)))


async def test_a_reader_outlives_its_connections(books: Books, api: PointsApi) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1"))
    async with api.key(shop) as client:
        assert (await balance_of(client)).status_code == 200
        for _ in range(3):
            await books.kill_connections()
            assert (await balance_of(client)).status_code == 200


async def test_without_a_database_the_answer_is_later_not_broken(books: Books) -> None:
    nowhere = create_engine("postgresql://nobody@127.0.0.1:1/nothing", name="test", pool_size=2)
    api = PointsApi(replace(books, engine=nowhere))
    async with api.key(Shop()) as client:
        for path in ("/v1/customers/ada/balance", "/v1/customers/ada/transactions", "/v1/programme"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable"), path
            assert answer.headers["retry-after"]
    await nowhere.dispose()


async def test_an_id_that_no_database_holds_harms_nobody_who_asks_at_the_same_time(
    books: Books, api: PointsApi
) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1"))
    async with api.key(shop) as client:
        answers = await asyncio.gather(*(balance_of(client, customer) for customer in ("ada", "a%00b", "ada", "%ff")))
        assert [answer.status_code for answer in answers] == [200, 404, 200, 404]
        assert (await client.get("/v1/customers/a%00b/transactions")).status_code == 404
