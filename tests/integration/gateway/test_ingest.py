"""Events come in, are acknowledged, and stand in Kafka."""

import asyncio
import json
from typing import Any

from shared.events import registry
from shared.events.customers import ConsentStated, CustomerErased, CustomerUpdated
from shared.events.envelope import Envelope
from shared.events.purchases import PurchaseCompleted
from shared.ids import event_id
from tests.support.gateway import Gateway, Shop


def purchase(**change: Any) -> dict[str, Any]:
    return {
        "order_id": "o-1",
        "customer_id": "c-1",
        "occurred_at": "2026-11-01T10:00:00+01:00",
        "currency": "EUR",
        "total": "30.00",
        "lines": [{"line_id": "1", "sku": "tea", "quantity": 3, "unit_price": "10.00"}],
    } | change


async def test_a_purchase_is_acknowledged_when_kafka_has_it(gateway: Gateway, shop: Shop) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await shop.post(
        "/v1/purchases", purchase(event_id="e-1"), headers={"x-correlation-id": "till-7", "traceparent": traceparent}
    )
    assert answer.status_code == 202, answer.text
    expected = str(event_id(shop.tenant, "shop\npurchase.completed\nevent", "e-1"))
    assert answer.json() == {"event_id": expected, "status": "accepted", "status_url": f"/v1/events/{expected}"}
    assert answer.headers["x-correlation-id"] == "till-7"
    [record] = await gateway.records("treue.purchases", shop.tenant, 1)
    envelope = Envelope.of(record.headers)
    assert record.key == f"{shop.tenant}:c-1".encode()
    assert (str(envelope.id), envelope.correlation_id, envelope.traceparent) == (expected, "till-7", traceparent)
    assert (envelope.programme_version, envelope.tenant) == (1, shop.tenant)
    event = registry.decode(envelope.type, envelope.version, record.value)
    assert isinstance(event, PurchaseCompleted)
    assert (event.total_minor, event.lines[0].unit_price_minor) == (3000, 1000)


async def test_the_same_body_in_another_formatting_has_the_same_bytes(gateway: Gateway, shop: Shop) -> None:
    body = purchase(event_id="e-1", channel=None, metadata={"b": 1, "a": "ü"})
    other = purchase(event_id="e-1", occurred_at="2026-11-01T09:00:00.000Z", metadata={"a": "ü", "b": 1})
    for raw in (json.dumps(body), json.dumps(other, indent=3, ensure_ascii=False)):
        answer = await shop.call(
            "POST", "/v1/purchases", content=raw.encode(), headers={"content-type": "application/json; charset=utf-8"}
        )
        assert answer.status_code == 202, answer.text
    one, two = await gateway.records("treue.purchases", shop.tenant, 2)
    assert one.value == two.value
    assert dict(one.headers)["ce_id"] == dict(two.headers)["ce_id"]


async def test_an_idempotency_key_names_the_event(shop: Shop) -> None:
    async def sent(key: str | None, **change: Any) -> str:
        headers = {"idempotency-key": key} if key else {}
        return str((await shop.post("/v1/purchases", purchase(**change), headers=headers)).json()["event_id"])

    assert await sent("receipt-1") == await sent("receipt-1")
    assert await sent("receipt-1") != await sent("receipt-2")
    assert await sent(None) != await sent(None)
    assert await sent("receipt-1", event_id="e") == await sent("receipt-2", event_id="e")
    refused = await shop.post("/v1/purchases", purchase(), headers={"idempotency-key": "x" * 256})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["in"] == "header"


async def test_a_batch_takes_the_good_and_names_the_bad(gateway: Gateway, shop: Shop) -> None:
    items: list[Any] = [purchase(event_id=f"e-{n}", order_id=f"o-{n}") for n in range(6)]
    items[1]["total"] = "-1.00"
    items[3] = None
    items[4]["unknown"] = True
    answer = await shop.post("/v1/purchases/batch", {"purchases": items})
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (3, 3)
    assert [result["index"] for result in body["results"]] == list(range(6))
    assert {result["index"] for result in body["results"] if "error" in result} == {1, 3, 4}
    assert body["results"][0]["event_id"] == str(event_id(shop.tenant, "shop\npurchase.completed\nevent", "e-0"))
    pointers = {error["pointer"] for result in body["results"] for error in result.get("error", {}).get("errors", [])}
    assert {"/purchases/1/total", "/purchases/3", "/purchases/4/unknown"} <= pointers
    assert len(await gateway.records("treue.purchases", shop.tenant, 3)) == 3


async def test_profiles_and_erasures_go_to_the_customers_topic(gateway: Gateway, shop: Shop) -> None:
    profile = {"email": "Ada@Example.org", "locale": "de_DE", "consents": []}
    put = await shop.call("PUT", "/v1/customers/c-1", profile)
    batch = await shop.post("/v1/customers/batch", {"customers": [{"customer_id": "c-2", "birthday": "1990-12-31"}]})
    erased = await shop.call("DELETE", "/v1/customers/c-1")
    assert [put.status_code, batch.status_code, erased.status_code] == [202, 202, 202], (put.text, batch.text)
    records = await gateway.records("treue.customers", shop.tenant, 3)
    events = [registry.decode(Envelope.of(r.headers).type, 1, r.value) for r in records]
    updated = [event for event in events if isinstance(event, CustomerUpdated)]
    assert {event.customer_id for event in updated} == {"c-1", "c-2"}
    ada = next(event for event in updated if event.customer_id == "c-1")
    assert (ada.email, ada.locale, ada.consents) == ("Ada@example.org", "de-DE", ())
    assert [event.customer_id for event in events if isinstance(event, CustomerErased)] == ["c-1"]


async def test_a_customers_token_speaks_for_itself_alone(gateway: Gateway, shop: Shop) -> None:
    made = await shop.post("/v1/customer-tokens", {"customer_id": "ada"})
    assert made.status_code == 201, made.text
    app = Shop(shop.tenant, made.json()["token"], gateway.http)
    said = {"kind": "nps", "score": 9, "occurred_at": "2026-11-01T10:00:00Z"}
    for customer in ({}, {"customer_id": "me"}, {"customer_id": "ada"}):
        assert (await app.post("/v1/feedback", said | customer)).status_code == 202
    assert (await app.post("/v1/feedback", said | {"customer_id": "bob"})).status_code == 404
    assert (await app.post("/v1/purchases", purchase())).status_code == 403
    assert (await app.call("PUT", "/v1/customers/ada", {})).status_code == 403
    assert (await app.post("/v1/customer-tokens", {"customer_id": "ada"})).status_code == 403
    batch = await app.post("/v1/feedback/batch", {"feedback": [said, said | {"customer_id": "bob"}]})
    assert (batch.json()["accepted"], batch.json()["rejected"]) == (1, 1)
    keys = {record.key for record in await gateway.records("treue.feedback", shop.tenant, 4)}
    assert keys == {f"{shop.tenant}:ada".encode()}
    assert (await shop.post("/v1/feedback", said)).status_code == 422
    assert (await shop.post("/v1/feedback", said | {"customer_id": "me"})).status_code == 422


async def test_nobody_takes_a_name_away_from_the_shop(gateway: Gateway, shop: Shop) -> None:
    """Names that can be guessed: the customer is there first, and the shop's events are its own all the same."""
    made = await shop.post("/v1/customer-tokens", {"customer_id": "eve"})
    eve = Shop(shop.tenant, made.json()["token"], gateway.http)
    names = ["return-o-1", *(f"receipt-{number}" for number in range(20))]
    activity = {"kind": "visit", "occurred_at": "2026-11-01T10:00:00Z"}
    taken = {name: await eve.post("/v1/activities", activity | {"event_id": name}) for name in names}
    for name in names:
        mine = [
            await shop.post("/v1/purchases", purchase(event_id=name, order_id=name)),
            await shop.post("/v1/purchases", purchase(order_id=f"{name}-by-key"), headers={"idempotency-key": name}),
            await shop.post("/v1/activities", activity | {"customer_id": "eve", "event_id": name}),
        ]
        assert {answer.status_code for answer in (taken[name], *mine)} == {202}
        assert len({answer.json()["event_id"] for answer in (taken[name], *mine)}) == 4
    assert len(await gateway.records("treue.purchases", shop.tenant, 2 * len(names))) == 2 * len(names)


async def test_a_purchase_and_its_return_may_bear_the_orders_number(shop: Shop) -> None:
    bought = await shop.post("/v1/purchases", purchase(event_id="o-1"))
    back = {"event_id": "o-1", "order_id": "o-1", "occurred_at": "2026-11-02T10:00:00Z", "currency": "EUR"}
    returned = await shop.post("/v1/returns", back | {"total": "10.00"})
    cancelled = await shop.post("/v1/cancellations", {k: v for k, v in back.items() if k != "currency"})
    answers = (bought, returned, cancelled)
    assert [answer.status_code for answer in answers] == [202] * 3, [answer.text for answer in answers]
    assert len({answer.json()["event_id"] for answer in answers}) == 3


async def test_another_body_under_a_name_just_used_is_refused(gateway: Gateway, shop: Shop) -> None:
    first = (await shop.post("/v1/purchases", purchase(event_id="e"))).json()
    again = await shop.post("/v1/purchases", purchase(event_id="e"))
    assert (again.status_code, again.json()) == (202, first)
    other = await shop.post("/v1/purchases", purchase(event_id="e", order_id="o-2"))
    assert (other.status_code, other.json()["code"]) == (409, "event_id_conflict")
    assert (other.json()["event_id"], other.json()["status_url"]) == (first["event_id"], first["status_url"])
    items = [
        purchase(event_id=name, order_id=order) for name, order in (("e", "o-2"), ("f", "1"), ("f", "2"), ("f", "1"))
    ]
    batch = (await shop.post("/v1/purchases/batch", {"purchases": items})).json()
    codes = [result.get("error", {}).get("code") for result in batch["results"]]
    assert codes == ["event_id_conflict", None, "event_id_conflict", None]
    assert (batch["accepted"], batch["rejected"]) == (2, 2)
    assert batch["results"][1]["event_id"] == batch["results"][3]["event_id"]
    orders = [json.loads(r.value)["order_id"] for r in await gateway.records("treue.purchases", shop.tenant, 3)]
    assert sorted(orders) == ["1", "o-1", "o-1"]


async def test_many_at_once_are_all_acknowledged(gateway: Gateway, shop: Shop) -> None:
    bodies = [purchase(event_id=f"e-{n}", order_id=f"o-{n}") for n in range(300)]
    answers = await asyncio.gather(*(shop.post("/v1/purchases", body) for body in bodies))
    assert {answer.status_code for answer in answers} == {202}
    assert len(await gateway.records("treue.purchases", shop.tenant, 300, within_s=30)) == 300


async def test_an_address_that_the_mail_server_cannot_take_is_refused_when_it_is_given(
    gateway: Gateway, shop: Shop
) -> None:
    refused = await shop.call("PUT", "/v1/customers/c-1", {"email": "jürgen@example.org"})
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert (fault["pointer"], fault["rule"]) == ("/email", "email_needs_smtputf8")
    assert (await shop.call("PUT", "/v1/customers/c-1", {"email": "ada@bücher.example"})).status_code == 202


async def test_n_22_a_consent_is_the_shops_word_or_the_customers_own(gateway: Gateway, shop: Shop) -> None:
    no = {"channel": "email", "purpose": "marketing", "granted": False}
    made = await shop.post("/v1/customer-tokens", {"customer_id": "ada"})
    app = Shop(shop.tenant, made.json()["token"], gateway.http)
    for caller, customer in ((shop, "ada"), (app, "me"), (app, "ada")):
        assert (await caller.post(f"/v1/customers/{customer}/consents", no)).status_code == 202
    assert (await app.post("/v1/customers/bob/consents", no)).status_code == 404
    refused = await shop.post("/v1/customers/ada/consents", no | {"channel": "fax", "granted": "no"})
    assert {fault["pointer"] for fault in refused.json()["errors"]} == {"/channel", "/granted"}
    records = await gateway.records("treue.customers", shop.tenant, 3)
    events = [registry.decode(Envelope.of(record.headers).type, 1, record.value) for record in records]
    assert {(event.customer_id, event.stated_by) for event in events if isinstance(event, ConsentStated)} == {
        ("ada", "shop"), ("ada", "customer"),
    }  # fmt: skip


async def test_n_29_an_erased_id_is_refused_at_once_where_it_is_known(gateway: Gateway, shop: Shop) -> None:
    gateway.notifications.tell("GET", "/internal/customers/gone/life", {"erased": True})
    no = {"channel": "email", "purpose": "marketing", "granted": False}
    for refused in (
        await shop.call("PUT", "/v1/customers/gone", {"name": "Ada"}),
        await shop.post("/v1/customers/gone/consents", no),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "customer_erased"), refused.text
    assert (await shop.call("PUT", "/v1/customers/gone", {"name": "Ada", "rejoin": True})).status_code == 202
    # What follows is not refused because the service has not seen it yet.
    assert (await shop.call("PUT", "/v1/customers/gone", {"name": "Ada"})).status_code == 202
    assert (await shop.call("DELETE", "/v1/customers/gone")).status_code == 202
    assert (await shop.call("PUT", "/v1/customers/gone", {"name": "Ada"})).status_code == 409
