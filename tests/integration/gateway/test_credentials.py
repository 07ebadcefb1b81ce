"""Who may do what, and for how long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.gateway.adapters.keys import Keys
from services.gateway.auth.api_key import mint
from services.gateway.auth.credentials import StoredKey
from shared.auth.scopes import FIRST_KEY_SCOPES
from shared.db.transaction import transaction
from tests.integration.gateway.test_ingest import purchase
from tests.support.database import engine_of
from tests.support.eventually import until
from tests.support.gateway import Gateway, Shop, running_gateway
from tests.support.stack import Database, Parts

ROUTES = [
    ("POST", "/v1/purchases"), ("POST", "/v1/purchases/batch"), ("PUT", "/v1/customers/c"),
    ("DELETE", "/v1/customers/c"),
    ("GET", "/v1/customers/me/balance"), ("GET", "/v1/programme"), ("GET", "/v1/metrics/nps"), ("GET", "/v1/keys"),
    ("POST", "/v1/tenants"), ("POST", "/v1/customer-tokens"), ("GET", "/v1/events/x"), ("GET", "/v1/nothing"),
    ("PATCH", "/v1/purchases"), ("OPTIONS", "/v1/purchases"), ("GET", "/v1/customers/c/export"), ("POST", "/v1/quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_good_credential_nothing_but_401(gateway: Gateway, shop: Shop, method: str, path: str) -> None:
    key = shop.api_key
    damaged = (None, "", "treue_live_x", key[:-1], key.upper(), key + "x", "eyJhbGciOiJub25lIn0.e30.", "x" * 10_000)
    for bad in damaged:
        headers = {} if bad is None else {"authorization": f"Bearer {bad}".strip()}
        answer = await gateway.http.request(method, path, content=b"{", headers=headers)
        assert answer.status_code == 401, (bad, answer.text)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "unauthenticated"


async def test_unknown_paths_and_methods(shop: Shop) -> None:
    assert (await shop.get("/v1/nothing/here")).status_code == 404
    refused = await shop.call("PATCH", "/v1/purchases", {})
    assert (refused.status_code, refused.headers["allow"]) == (405, "OPTIONS, POST")
    told = await shop.call("OPTIONS", "/v1/purchases")
    assert (told.status_code, told.headers["allow"]) == (204, "OPTIONS, POST")
    refused = await shop.call("POST", "/v1/keys/x", {})
    assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, OPTIONS")


async def made_key(shop: Shop, **wanted: Any) -> tuple[str, Shop]:
    answer = await shop.post("/v1/keys", wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], Shop(shop.tenant, answer.json()["api_key"], shop.http)


async def test_a_key_does_what_its_scopes_say(shop: Shop) -> None:
    _, narrow = await made_key(shop, scopes=["events:write"])
    assert (await narrow.post("/v1/purchases", purchase())).status_code == 202
    for method, path in (("PUT", "/v1/customers/c"), ("POST", "/v1/customer-tokens"), ("POST", "/v1/keys")):
        answer = await narrow.call(method, path, {"customer_id": "c", "scopes": ["events:write"]})
        assert answer.status_code in (403, 422), (path, answer.text)
    assert (await narrow.call("PUT", "/v1/customers/c", {})).json()["code"] == "forbidden"
    assert (await narrow.get("/v1/keys")).status_code == 403


async def test_a_key_gives_no_more_than_it_has(gateway: Gateway, shop: Shop) -> None:
    _, maker = await made_key(shop, scopes=["keys:write", "events:write"])
    assert (await maker.post("/v1/keys", {"scopes": ["events:write"]})).status_code == 201
    assert (await maker.post("/v1/keys", {"scopes": ["metrics:read"]})).status_code == 403
    assert (await maker.post("/v1/keys", {"scopes": ["admin"]})).status_code == 422
    other = await gateway.shop()
    assert (await maker.post("/v1/keys", {"scopes": ["events:write"], "tenant": other.tenant})).status_code == 403
    assert (await maker.get(f"/v1/keys?tenant={other.tenant}")).status_code == 403
    [foreign] = (await other.get("/v1/keys")).json()["items"]
    assert (await maker.call("DELETE", f"/v1/keys/{foreign['id']}")).status_code == 404
    assert (await maker.get("/v1/tenants")).status_code == 403


async def test_a_revoked_key_stops(shop: Shop) -> None:
    key_id, narrow = await made_key(shop, scopes=["events:write"])
    assert (await narrow.post("/v1/purchases", purchase())).status_code == 202
    assert (await shop.call("DELETE", f"/v1/keys/{key_id}")).status_code == 204
    assert (await narrow.post("/v1/purchases", purchase())).status_code == 401
    assert (await shop.call("DELETE", f"/v1/keys/{key_id}")).status_code == 204
    shown = {key["id"]: key for key in (await shop.get("/v1/keys?limit=500")).json()["items"]}
    assert shown[key_id]["revoked_at"]
    assert shown[key_id]["last_used_at"]


async def test_a_key_that_another_process_revoked_stops_within_ten_seconds(gateway: Gateway, shop: Shop) -> None:
    key_id, narrow = await made_key(shop, scopes=["events:write"])
    assert (await narrow.post("/v1/purchases", purchase())).status_code == 202
    async with engine_of(gateway.database.app) as engine, transaction(engine) as tx:
        await tx.raw.execute("UPDATE api_key SET revoked_at = now() WHERE id = $1", key_id)
    start = time.monotonic()

    async def refused() -> bool:
        return (await narrow.post("/v1/purchases", purchase())).status_code == 401

    await until(refused, within_s=10)
    assert time.monotonic() - start < 10


async def test_a_key_ends_when_it_was_said_to(shop: Shop) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.5)  # noqa: TID251
    _, ended = await made_key(shop, scopes=["events:write"], expires_at=soon.isoformat())
    await asyncio.sleep(0.6)
    assert (await ended.post("/v1/purchases", purchase())).status_code == 401


async def test_a_key_that_has_ended_already_is_not_made(shop: Shop) -> None:
    refused = await shop.post("/v1/keys", {"scopes": ["events:write"], "expires_at": "2020-01-01T00:00:00Z"})
    assert refused.status_code == 422
    assert [(fault["pointer"], fault["rule"]) for fault in refused.json()["errors"]] == [("/expires_at", "in_the_past")]


async def test_an_idempotency_key_makes_one_key(gateway: Gateway, shop: Shop) -> None:
    wanted, named = {"scopes": ["events:write"], "name": "till"}, {"headers": {"idempotency-key": "till-7"}}
    first = await shop.post("/v1/keys", wanted, **named)
    again = await asyncio.gather(*(shop.post("/v1/keys", wanted, **named) for _ in range(5)))
    assert {answer.status_code for answer in (first, *again)} == {201}
    assert all(answer.json() == first.json() for answer in again)
    made = Shop(shop.tenant, first.json()["api_key"], shop.http)
    assert (await made.post("/v1/purchases", purchase())).status_code == 202

    for other in ({"scopes": ["customers:read"], "name": "till"}, wanted | {"name": "x"}, wanted | {"mode": "test"}):
        refused = await shop.post("/v1/keys", other, **named)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused"), other
    assert (await shop.post("/v1/keys", wanted)).json()["id"] != first.json()["id"]

    # Another caller, or another tenant, means another key by the same name.
    _, other_caller = await made_key(shop, scopes=["events:write", "keys:write"])
    stranger = await gateway.shop()
    found = {(await one.post("/v1/keys", wanted, **named)).json()["api_key"] for one in (other_caller, stranger)}
    assert len(found | {first.json()["api_key"]}) == 3

    bad = await shop.post("/v1/keys", wanted, headers={"idempotency-key": "x" * 256})
    assert bad.status_code == 422


async def test_a_revoked_key_does_not_come_back(shop: Shop) -> None:
    wanted, named = {"scopes": ["events:write"]}, {"headers": {"idempotency-key": "gone"}}
    made = (await shop.post("/v1/keys", wanted, **named)).json()
    assert (await shop.call("DELETE", f"/v1/keys/{made['id']}")).status_code == 204
    refused = await shop.post("/v1/keys", wanted, **named)
    assert (refused.status_code, refused.json()["code"]) == (409, "key_revoked")


async def test_the_database_holds_no_usable_key(gateway: Gateway, shop: Shop) -> None:
    async with engine_of(gateway.database.app) as engine, transaction(engine) as tx:
        rows = await tx.raw.fetch("SELECT k::text AS row FROM api_key k WHERE tenant = $1", shop.tenant)
    secret = shop.api_key.rpartition("_")[2]
    assert rows
    assert not any(secret[:10] in row["row"] for row in rows)


async def test_keys_page(gateway: Gateway, shop: Shop) -> None:
    for _ in range(4):
        await made_key(shop, scopes=["events:write"])
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await gateway.operator.get(f"/v1/keys?tenant={shop.tenant}&limit=2{cursor}")).json()
        seen += [key["id"] for key in page["items"]]
        if not page["next"]:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 5
    assert (await shop.get("/v1/keys?cursor=nonsense")).status_code == 422


async def test_the_operator_makes_keys_for_a_tenant_and_speaks_for_none(gateway: Gateway, shop: Shop) -> None:
    operator = gateway.operator
    made = await operator.post("/v1/keys", {"tenant": shop.tenant, "scopes": sorted(FIRST_KEY_SCOPES), "mode": "test"})
    assert made.json()["api_key"].startswith("treue_test_")
    assert (await operator.post("/v1/keys", {"tenant": "nobody", "scopes": ["events:write"]})).status_code == 404
    assert (await operator.post("/v1/keys", {"scopes": ["events:write"]})).status_code == 422
    assert (await operator.post("/v1/purchases", purchase())).status_code == 403
    assert (await operator.get("/v1/programme")).status_code == 403


async def test_a_token_for_the_services_is_no_credential_outside(gateway: Gateway, shop: Shop) -> None:
    gateway.metrics.tell("GET", "/v1/metrics/nps", {})
    await shop.get("/v1/metrics/nps")
    token = gateway.metrics.asked[-1].headers["authorization"].removeprefix("Bearer ")
    answer = await Shop(shop.tenant, token, gateway.http).post("/v1/purchases", purchase())
    assert answer.status_code == 401


SAID = {"kind": "nps", "score": 9, "occurred_at": "2026-11-01T10:00:00Z"}


async def app_of(shop: Shop, customer: str = "ada") -> Shop:
    token = (await shop.post("/v1/customer-tokens", {"customer_id": customer})).json()["token"]
    return Shop(shop.tenant, token, shop.http)


async def test_a_customers_token_ends_with_its_key(gateway: Gateway, shop: Shop) -> None:
    key_id, till = await made_key(shop, scopes=["tokens:write"])
    app, other = await app_of(till), await app_of(shop)
    for one in (app, other):
        assert (await one.post("/v1/feedback", SAID)).status_code == 202
    assert (await shop.call("DELETE", f"/v1/keys/{key_id}")).status_code == 204
    assert (await app.post("/v1/feedback", SAID)).status_code == 401
    assert (await app.get("/v1/customers/me/balance")).status_code == 401
    assert (await other.post("/v1/feedback", SAID)).status_code == 202


async def test_a_customers_token_ends_within_ten_seconds_after_its_key(gateway: Gateway, shop: Shop) -> None:
    """Revoked by another process, or expired; in use all the while, or not seen here before."""
    soon = datetime.now(UTC) + timedelta(seconds=2)  # noqa: TID251
    key_id, till = await made_key(shop, scopes=["tokens:write"])
    _, brief = await made_key(shop, scopes=["tokens:write"], expires_at=soon.isoformat())
    apps = [await app_of(till), await app_of(brief, "bob")]
    for app in apps:
        assert (await app.post("/v1/feedback", SAID)).status_code == 202
    unseen = await app_of(till, "eve")
    async with engine_of(gateway.database.app) as engine, transaction(engine) as tx:
        await tx.raw.execute("UPDATE api_key SET revoked_at = now() WHERE id = $1", key_id)

    async def refused() -> bool:
        return {(await app.post("/v1/feedback", SAID)).status_code for app in apps} == {401}

    await until(refused, within_s=12)  # two seconds for the one that expires
    assert (await unseen.post("/v1/feedback", SAID)).status_code == 401


async def test_a_customers_token_is_for_the_gateway_alone(gateway: Gateway, shop: Shop) -> None:
    """The services cannot know that its key is revoked, so they get a token of minutes in its place."""
    app = await app_of(shop)
    gateway.points.tell("GET", "/v1/customers/me/balance", {})
    assert (await app.get("/v1/customers/me/balance")).status_code == 200
    asked = gateway.points.asked[-1]
    assert (asked.principal.tenant, asked.principal.customer) == (shop.tenant, "ada")
    straight = await gateway.http.get(
        f"{gateway.settings.points_url}/v1/customers/me/balance", headers={"authorization": f"Bearer {app.api_key}"}
    )
    assert straight.status_code == 401


async def test_many_wrong_credentials_are_not_looked_up_and_hurt_nobody_who_is_known(
    parts: Parts, database: Callable[[str], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = Keys.find

    async def find(self: Keys, key_id: str) -> StoredKey | None:
        asked.append(key_id)
        return await real(self, key_id)

    monkeypatch.setattr(Keys, "find", find)
    limits = {"wrong_credentials_per_s": 0.01, "wrong_credentials_burst": 20.0, "trusted_proxies": 1}
    async with running_gateway(parts, await database("gateway"), **limits) as gateway:
        shop = await gateway.shop()
        _, unseen = await made_key(shop, scopes=["events:write"])
        app = await app_of(shop)
        assert (await shop.post("/v1/purchases", purchase())).status_code == 202
        asked.clear()

        async def guess(credential: str) -> httpx.Response:
            return await Shop("", credential, gateway.http).post("/v1/purchases", purchase())

        answers = [await guess(mint("live").text) for _ in range(30)]
        assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 10
        assert answers[-1].json()["code"] == "too_many_wrong_credentials"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert len(asked) == 20
        assert {(await guess(bad)).status_code for bad in ("nonsense", "treue_live_x", "eyJhbGciOiJub25lIn0.e30.")} == {
            429
        }

        assert (await shop.post("/v1/purchases", purchase())).status_code == 202
        assert (await app.post("/v1/feedback", SAID)).status_code == 202
        assert (await unseen.post("/v1/purchases", purchase())).status_code == 429
        elsewhere = {"x-forwarded-for": "6.6.6.6, 192.0.2.1"}
        assert (await unseen.post("/v1/purchases", purchase(), headers=elsewhere)).status_code == 202
        assert (await unseen.post("/v1/purchases", purchase())).status_code == 202
