"""Questions reach their owner as they were asked, and the answers come back as they were given."""

import time

import pytest

from shared.events import registry
from shared.events.purchases import PurchaseCompleted
from tests.support.gateway import Gateway, Shop


async def test_a_question_goes_to_its_owner_with_our_token(gateway: Gateway, shop: Shop) -> None:
    path = "/v1/customers/a%2Bb/balance"
    gateway.points.tell("GET", path, {"available": 7}, etag='"7"', x_secret="inside")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await shop.get(
        path + "?after_event=x&wait_ms=0", headers={"x-correlation-id": "app-1", "traceparent": trace, "cookie": "c"}
    )
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, {"available": 7}, '"7"')
    assert "x-secret" not in answer.headers
    asked = gateway.points.asked[-1]
    assert (asked.path, asked.query) == (path, "after_event=x&wait_ms=0")
    assert asked.headers["x-correlation-id"] == "app-1"
    assert asked.headers["traceparent"] == trace
    assert "cookie" not in asked.headers
    assert shop.api_key not in str(asked.headers)
    assert asked.principal.tenant == shop.tenant
    assert asked.principal.may("customers:read")


async def test_an_unchanged_balance_is_304(gateway: Gateway, shop: Shop) -> None:
    gateway.points.tell("GET", "/v1/customers/c-1/balance", {}, status=304, etag='"7"')
    answer = await shop.get("/v1/customers/c-1/balance", headers={"if-none-match": '"7"'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert gateway.points.asked[-1].headers["if-none-match"] == '"7"'


async def test_bodies_and_idempotency_keys_pass(gateway: Gateway, shop: Shop) -> None:
    gateway.points.tell("POST", "/v1/customers/c-1/redemptions", {"id": "r"}, status=201, location="/v1/redemptions/r")
    answer = await shop.post("/v1/customers/c-1/redemptions", {"reward": "x"}, headers={"idempotency-key": "k"})
    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/redemptions/r")
    asked = gateway.points.asked[-1]
    assert (asked.body, asked.headers["idempotency-key"]) == (b'{"reward":"x"}', "k")


async def test_head_is_forwarded_as_get(gateway: Gateway, shop: Shop) -> None:
    path = "/v1/customers/c-1/balance"
    gateway.points.tell("GET", path, {"available": 7}, etag='"7"')
    answer = await shop.call("HEAD", path)
    assert (answer.status_code, answer.headers["etag"], answer.content) == (200, '"7"', b"")
    assert answer.headers["content-length"] == str(len((await shop.get(path)).content))
    assert gateway.points.asked[-1].method == "GET"
    assert (await shop.call("HEAD", "/v1/programme")).status_code == 200
    assert (await gateway.http.head("/livez")).status_code == 200


async def test_what_a_forwarded_path_offers(shop: Shop) -> None:
    for method, path, status, allowed in (
        ("TRACE", "/v1/programme", 405, "GET, HEAD, OPTIONS, PUT"),
        ("OPTIONS", "/v1/programme", 204, "GET, HEAD, OPTIONS, PUT"),
        ("DELETE", "/v1/customers/c/balance", 405, "GET, HEAD, OPTIONS"),
        # The owner's word, who here answers all of these.
        ("OPTIONS", "/v1/rules/x", 204, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
    ):
        answer = await shop.call(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (status, allowed)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/v1/customers/c/transactions", "points"), ("/v1/transactions/x/explain", "points"), ("/v1/quotes", "points"),
        ("/v1/rules", "points"), ("/v1/redemptions/r/confirm", "points"), ("/v1/customers/c/messages", "notifications"),
        ("/v1/templates/welcome", "notifications"), ("/v1/campaigns", "notifications"), ("/v1/metrics/nps", "metrics"),
    ],
)  # fmt: skip
async def test_the_table_of_owners(gateway: Gateway, shop: Shop, path: str, owner: str) -> None:
    await (shop.post(path, {"total": "1", "currency": "EUR"}) if path == "/v1/quotes" else shop.get(path))
    asked = {name: getattr(gateway, name).asked for name in ("points", "notifications", "metrics")}
    assert asked[owner][-1].path == path
    assert not any(one.path == path for name, all_ in asked.items() if name != owner for one in all_)


async def test_a_quote_is_read_as_a_purchase_and_asked_as_its_event(gateway: Gateway, shop: Shop) -> None:
    lines = [
        {"line_id": "1", "sku": "cheese", "quantity": "0.450", "unit_price": "19.90"},
        {"line_id": "2", "sku": "bread", "quantity": 1, "unit_price": "4.00"},
    ]
    gateway.points.tell("POST", "/v1/quotes", {"points": 9})
    answer = await shop.post("/v1/quotes", {"total": "9.99", "currency": "EUR", "lines": lines})
    assert (answer.status_code, answer.json()) == (200, {"points": 9})
    asked = registry.decode("purchase.completed", 1, gateway.points.asked[-1].body)
    assert isinstance(asked, PurchaseCompleted)
    assert (asked.total_minor, [line.paid for line in asked.lines]) == (999, [691, 308])
    before = len(gateway.points.asked)
    for wrong, rule in (({"total": "19.99"}, "more_than_lines"), ({"total": 9.99}, "amount_is_text")):
        answer = await shop.post("/v1/quotes", {"currency": "EUR", "lines": lines} | wrong)
        assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, rule)
    token = (await shop.post("/v1/customer-tokens", {"customer_id": "ada"})).json()["token"]
    bob = {"total": "9.99", "currency": "EUR", "customer_id": "bob"}
    assert (await Shop(shop.tenant, token, gateway.http).post("/v1/quotes", bob)).status_code == 404
    assert len(gateway.points.asked) == before


async def test_a_customers_token_is_exchanged_for_one_that_the_services_believe(gateway: Gateway, shop: Shop) -> None:
    token = (await shop.post("/v1/customer-tokens", {"customer_id": "ada"})).json()["token"]
    await Shop(shop.tenant, token, gateway.http).get("/v1/customers/me/balance")
    asked = gateway.points.asked[-1]
    assert asked.headers["authorization"] != f"Bearer {token}"
    assert asked.principal.customer == "ada"
    assert asked.principal.scopes == {"export:own"}


@pytest.mark.parametrize(
    "path", ["/v1/metrics/../internal/tenants/x", "/v1/metrics/%2e%2e/%2e%2e/internal/tenants/x", "/internal/tenants/x"]
)
async def test_nobody_climbs_into_the_services(gateway: Gateway, shop: Shop, path: str) -> None:
    before = len(gateway.metrics.asked)
    connection = await _raw(gateway, f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {shop.api_key}\r\n\r\n")
    assert connection.startswith(b"HTTP/1.1 404"), connection
    assert not any("internal" in asked.path for asked in gateway.metrics.asked[before:])


async def test_a_service_that_is_gone_or_hangs_is_503_in_time(gateway: Gateway, shop: Shop) -> None:
    gateway.metrics.delay_s = 30.0
    try:
        start = time.monotonic()
        answer = await shop.get("/v1/metrics/nps")
        took_s = time.monotonic() - start
    finally:
        gateway.metrics.delay_s = 0.0
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert took_s < 2.0
    assert "127.0.0.1" not in answer.text


async def test_a_failure_inside_says_nothing_of_the_inside(gateway: Gateway, shop: Shop) -> None:
    for status in (401, 500, 502):
        gateway.metrics.tell("GET", "/v1/metrics/broken", {"detail": "at host 10.0.0.1"}, status=status)
        gateway.metrics.answers["GET", "/v1/metrics/broken"][1]["content_type"] = "text/plain"
        answer = await shop.get("/v1/metrics/broken")
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert "10.0.0.1" not in answer.text


async def _raw(gateway: Gateway, request: str) -> bytes:
    import asyncio

    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.settings.port)
    writer.write(request.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head
