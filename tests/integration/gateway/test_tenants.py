"""How a tenant comes into being, and what happens in between."""

import asyncio

from shared.ids import new_id
from tests.integration.gateway.test_ingest import purchase
from tests.support.gateway import Gateway, Shop


async def test_a_tenant_is_made_when_every_service_knows_it(gateway: Gateway) -> None:
    name = f"t-{new_id().hex}"
    gateway.metrics.tenants.add(name)
    wanted = {"name": name, "currency": "USD", "time_zone": "America/New_York", "points_per_unit": "2"}
    making = asyncio.create_task(gateway.operator.post("/v1/tenants", wanted))
    await asyncio.sleep(1)
    assert not making.done(), "notifications does not know it yet"
    gateway.notifications.tenants.add(name)
    made = await making
    assert made.status_code == 201, made.text
    shop = Shop(made.json()["tenant"], made.json()["api_key"], gateway.http)
    assert (shop.tenant, gateway.points.programmes[name]["points_per_unit"]) == (name, "2")
    assert (await shop.post("/v1/purchases", purchase(currency="USD"))).status_code == 202
    refused = await shop.post("/v1/purchases", purchase())
    assert [error["rule"] for error in refused.json()["errors"]] == ["currency_not_supported"]
    again = await gateway.operator.post("/v1/tenants", wanted)
    assert (again.status_code, again.json()["code"]) == (409, "tenant_exists")
    shown = (await gateway.operator.get("/v1/tenants?limit=500")).json()["items"]
    [found] = [one for one in shown if one["name"] == name]
    assert (found["currency"], found["time_zone"], found["programme_version"]) == ("USD", "America/New_York", 1)


async def test_what_failed_in_the_middle_goes_on_from_there(gateway: Gateway) -> None:
    name = f"t-{new_id().hex}"
    wanted = {"name": name, "currency": "EUR"}
    gateway.points.tell("PUT", "/v1/programme", {}, status=503)
    try:
        failed = await gateway.operator.post("/v1/tenants", wanted)
    finally:
        gateway.points.answers.clear()
    assert (failed.status_code, failed.json()["code"]) == (503, "tenant_not_ready")
    other = await gateway.operator.post("/v1/tenants", wanted | {"currency": "USD"})
    assert other.status_code == 409
    for service in (gateway.notifications, gateway.metrics):
        service.tenants.add(name)
    made = await gateway.operator.post("/v1/tenants", wanted)
    assert made.status_code == 201, made.text
    assert gateway.points.programmes[name]["version"] == 1


async def test_two_at_once_make_one(gateway: Gateway) -> None:
    name = f"t-{new_id().hex}"
    for service in (gateway.notifications, gateway.metrics):
        service.tenants.add(name)
    wanted = {"name": name, "currency": "EUR"}
    answers = await asyncio.gather(*(gateway.operator.post("/v1/tenants", wanted) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_bad_wishes_are_refused(gateway: Gateway) -> None:
    good = {"name": f"t-{new_id().hex}", "currency": "EUR"}
    for change in (
        {"name": "UPPER"}, {"name": "a"}, {"name": "-a"}, {"name": "a:b"}, {"name": "x" * 64}, {"currency": "EURO"},
        {"currency": "XAU"}, {"time_zone": "Mars/Olympus"}, {"locale": "klingon??"}, {"points_per_unit": "-1"},
        {"more": 1},
    ):  # fmt: skip
        answer = await gateway.operator.post("/v1/tenants", good | change)
        assert answer.status_code == 422, (change, answer.text)


async def test_the_next_purchase_carries_a_version_published_here(gateway: Gateway, shop: Shop) -> None:
    await shop.post("/v1/purchases", purchase(event_id="before"))
    changed = await shop.call("PUT", "/v1/programme", gateway.points.programmes[shop.tenant] | {"points_per_unit": "3"})
    assert changed.json()["version"] == 2
    await shop.post("/v1/purchases", purchase(event_id="after"))
    records = await gateway.records("treue.purchases", shop.tenant, 2)
    assert [dict(record.headers)["ce_programmeversion"] for record in records] == [b"1", b"2"]
