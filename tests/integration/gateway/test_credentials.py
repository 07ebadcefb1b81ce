"""Who may do what, and for how long."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.auth.scopes import FIRST_KEY_SCOPES
from shared.db.transaction import transaction
from tests.integration.gateway.test_ingest import purchase
from tests.support.database import engine_of
from tests.support.eventually import until
from tests.support.gateway import Gateway, Shop

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
