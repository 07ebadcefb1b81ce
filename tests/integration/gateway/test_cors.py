"""A shop's page asks with its customer's token, as a browser does it."""

from tests.support.gateway import Gateway, Shop

PAGE = "https://shop.example"  # which the gateway of these tests lists


async def test_a_page_asks_and_posts_with_a_customers_token(gateway: Gateway, shop: Shop) -> None:
    token = (await shop.post("/v1/customer-tokens", {"customer_id": "ada"})).json()["token"]
    asking = {"origin": PAGE, "access-control-request-method": "GET"}
    gateway.points.tell("GET", "/v1/customers/me/balance", {}, status=304, etag='"7"', vary="accept")
    for path in ("/v1/customers/me/balance", "/v1/activities", "/v1/customers/me/profile"):
        assert (await gateway.http.options(path, headers=asking)).headers["access-control-allow-origin"] == PAGE
    app = Shop(shop.tenant, token, gateway.http)
    known = await app.get("/v1/customers/me/balance", headers={"origin": PAGE, "if-none-match": '"7"'})
    assert (known.status_code, known.headers["access-control-allow-origin"]) == (304, PAGE)
    assert known.headers.get_list("vary", split_commas=True) == ["accept", "Origin"]
    activity = {"kind": "page_seen", "occurred_at": "2026-01-15T10:00:00Z"}
    posted = await app.post("/v1/activities", activity, headers={"origin": PAGE})
    assert (posted.status_code, posted.headers["access-control-allow-origin"]) == (202, PAGE)
    other = await app.post("/v1/activities", activity, headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
