"""What became of an event, put together from three services."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.gateway.forwarding.event_state import ServiceView, Views, merged, undecided
from shared.events.envelope import Envelope, record_of
from shared.events.purchases import PurchaseCompleted
from shared.ids import new_id
from tests.integration.gateway.test_ingest import purchase
from tests.support.gateway import Gateway, Shop


def view(event_id: str, topic: str = "treue.purchases", **change: Any) -> dict[str, Any]:
    return {
        "event_id": event_id, "outcome": "applied", "reason": None, "topic": topic, "effects": [{"kind": "x"}],
        "conflicts": [], "applied_at": "2026-11-22T10:00:00Z",
    } | change  # fmt: skip


async def test_an_event_nobody_has_seen(shop: Shop) -> None:
    answer = await shop.get(f"/v1/events/{new_id()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "event_not_found")
    assert answer.headers["retry-after"]
    assert (await shop.get("/v1/events/nonsense")).json()["code"] == "event_not_found"
    assert (await shop.get(f"/v1/events/{new_id().hex}")).status_code == 404
    assert (await shop.get(f"/v1/events/{new_id()}?wait_ms=10001")).status_code == 422


async def test_the_service_that_decides_gives_the_status(gateway: Gateway, shop: Shop) -> None:
    event_id = str(new_id())
    path = f"/internal/events/{event_id}"
    gateway.metrics.tell("GET", path, view(event_id, effects=[{"kind": "order_counted"}]))
    answer = (await shop.get(f"/v1/events/{event_id}")).json()
    assert answer["status"] == "partly_applied"
    assert answer["services"]["points"] == {"status": "unknown"}
    gateway.points.tell(
        "GET",
        path,
        view(event_id, outcome="rejected", reason="order_known", effects=[], conflicts=[{"received_at": "t"}]),
    )
    answer = (await shop.get(f"/v1/events/{event_id}")).json()
    assert (answer["status"], answer["reason"]) == ("rejected", "order_known")
    assert answer["effects"] == []
    assert set(answer["services"]) == {"points", "metrics"}
    assert answer["conflicts"] == [{"status": "not_applied", "not_applied_by": ["points"], "received_at": "t"}]
    assert answer["services"]["metrics"]["status"] == "applied"


@pytest.mark.parametrize(
    ("points", "metrics", "status", "open_still"),
    [
        ("accepted", "accepted", "accepted", {"points", "metrics"}),
        ("applied", "accepted", "partly_applied", {"metrics"}),
        ("applied", "applied", "applied", set()),
        ("rejected", "accepted", "rejected", set()),
        ("rejected", "rejected", "rejected", set()),
    ],
)
def test_an_early_return_is_open_for_whoever_waits_for_its_purchase(
    points: str, metrics: str, status: str, open_still: set[str]
) -> None:
    event_id, outcomes = new_id(), {"points": points, "metrics": metrics}
    views: Views = {
        service: msgspec.convert(view(str(event_id), outcome=outcome, effects=[{"kind": service}]), ServiceView)
        for service, outcome in outcomes.items()
    }  # type: ignore[assignment]
    found = merged(event_id, views)
    assert (found["status"], undecided(views)) == (status, open_still)
    shown = {effect["service"] for effect in found["effects"]}
    assert shown == {name for name, outcome in outcomes.items() if outcome == "applied" and status != "rejected"}


@pytest.mark.parametrize(
    ("topic", "listening"),
    [
        ("treue.purchases", {"points", "metrics"}),
        ("treue.feedback", {"points", "notifications", "metrics"}),
        ("treue.activities", {"points", "metrics"}),
        ("treue.customers", {"points", "notifications", "metrics"}),
        ("treue.of-tomorrow", {"points", "notifications", "metrics"}),
    ],
)
def test_only_who_listens_is_listed(topic: str, listening: set[str]) -> None:
    event_id = new_id()
    told = msgspec.convert(view(str(event_id), topic), ServiceView)
    for service in listening:
        views: Views = {"points": None, "notifications": None, "metrics": None} | {service: told}  # type: ignore[assignment]
        assert set(merged(event_id, views)["services"]) == listening


def test_effects_are_those_of_services_that_applied_it() -> None:
    event_id = new_id()

    def effects(points: str, metrics: str) -> list[str]:
        told = {
            service: msgspec.convert(view(str(event_id), outcome=outcome), ServiceView)
            for service, outcome in (("points", points), ("metrics", metrics))
        }
        return [effect["service"] for effect in merged(event_id, told)["effects"]]  # type: ignore[arg-type]

    assert effects("applied", "applied") == ["points", "metrics"]
    assert effects("applied", "rejected") == ["points"]
    assert effects("accepted", "applied") == ["metrics"]
    assert effects("rejected", "applied") == []


async def test_waiting_for_it(gateway: Gateway, shop: Shop) -> None:
    event_id = str(new_id())
    asking = asyncio.create_task(shop.get(f"/v1/events/{event_id}?wait_ms=5000"))
    await asyncio.sleep(0.3)
    for service in (gateway.metrics, gateway.points):
        service.tell("GET", f"/internal/events/{event_id}", view(event_id, topic="treue.activities"))
    answer = await asyncio.wait_for(asking, 4)
    assert answer.json()["status"] == "applied"


async def test_waiting_asks_a_bounded_number_of_times(gateway: Gateway, shop: Shop) -> None:
    event_id = str(new_id())
    path = f"/internal/events/{event_id}"
    gateway.metrics.tell("GET", path, view(event_id))
    answer = await shop.get(f"/v1/events/{event_id}?wait_ms=10000")
    assert answer.json()["status"] == "partly_applied"
    asked = [sum(one.path == path for one in service.asked) for service in (gateway.points, gateway.metrics)]
    assert asked[0] <= 13
    assert asked[1] == 1, "who has decided was asked again"


@pytest.mark.parametrize(
    ("points", "metrics", "status"),
    [
        ("applied", "applied", "applied"),
        ("applied", "rejected", "applied"),
        ("applied", None, "partly_applied"),
        (None, "applied", "partly_applied"),
        ("accepted", "applied", "partly_applied"),
        ("accepted", None, "accepted"),
        ("rejected", None, "rejected"),
        ("rejected", "applied", "rejected"),
    ],
)
def test_applied_is_said_when_all_have_decided(points: str | None, metrics: str | None, status: str) -> None:
    event_id = new_id()
    views: Views = {
        service: msgspec.convert(view(str(event_id), outcome=outcome), ServiceView) if outcome else None
        for service, outcome in (("points", points), ("metrics", metrics), ("notifications", None))
    }  # type: ignore[assignment]
    assert merged(event_id, views)["status"] == status
    assert bool(undecided(views)) == (status in ("accepted", "partly_applied"))


async def test_a_service_that_is_away(gateway: Gateway, shop: Shop) -> None:
    event_id = str(new_id())
    path = f"/internal/events/{event_id}"
    gateway.points.tell("GET", path, view(event_id))
    gateway.metrics.tell("GET", path, {}, status=503)
    answer = await shop.get(f"/v1/events/{event_id}")
    assert answer.json()["status"] == "partly_applied"
    assert answer.json()["services"]["metrics"] == {"status": "unavailable"}
    gateway.points.tell("GET", path, {}, status=503)
    gateway.metrics.tell("GET", path, view(event_id))
    assert (await shop.get(f"/v1/events/{event_id}")).status_code == 503
    gateway.metrics.tell("GET", path, {}, status=404)
    assert (await shop.get(f"/v1/events/{event_id}")).status_code == 503


async def app_of(gateway: Gateway, shop: Shop, customer: str) -> Shop:
    token = (await shop.post("/v1/customer-tokens", {"customer_id": customer})).json()["token"]
    return Shop(shop.tenant, token, gateway.http)


async def test_a_customer_reads_what_became_of_their_own_event(gateway: Gateway, shop: Shop) -> None:
    ada, bob = await app_of(gateway, shop, "ada"), await app_of(gateway, shop, "bob")
    said = {"kind": "visit", "occurred_at": "2026-11-01T10:00:00Z"}
    accepted = (await ada.post("/v1/activities", said)).json()
    event_id, status_url = accepted["event_id"], accepted["status_url"]
    for service in (gateway.points, gateway.metrics):
        service.tell("GET", f"/internal/events/{event_id}", view(event_id, topic="treue.activities"))
    answer = await ada.get(f"{status_url}?wait_ms=1000")
    assert (answer.status_code, answer.json()["event_id"]) == (200, event_id), answer.text
    assert answer.json()["status"] == "applied"
    assert all(one.principal.customer is None for one in gateway.points.asked if one.path.endswith(event_id))
    for app, path in (
        (ada, f"/v1/events/{event_id}"), (ada, f"/v1/events/{event_id}."), (ada, f"/v1/events/{event_id}.{'0' * 32}"),
        (ada, f"{status_url}0"), (bob, status_url), (shop, status_url),
    ):  # fmt: skip
        assert (await app.get(path)).json()["code"] == "event_not_found"
    [result] = (await ada.post("/v1/activities/batch", {"activities": [said]})).json()["results"]
    assert result["status_url"].startswith(f"/v1/events/{result['event_id']}.")


async def test_whoever_may_post_may_ask(gateway: Gateway, shop: Shop) -> None:
    event_id = str(new_id())
    gateway.notifications.tell("GET", f"/internal/events/{event_id}", view(event_id, topic="treue.customers"))
    for scope, status in (
        ("customers:write", 200),
        ("events:write", 200),
        ("customers:read", 200),
        ("metrics:read", 403),
    ):
        key = (await shop.post("/v1/keys", {"scopes": [scope]})).json()["api_key"]
        assert (await Shop(shop.tenant, key, gateway.http).get(f"/v1/events/{event_id}")).status_code == status, scope


async def test_both_bodies_under_one_id_are_shown(gateway: Gateway, shop: Shop) -> None:
    """The gateway has forgotten the first body, as after a restart: each goes to the log, and is read from there."""
    first = await shop.post("/v1/purchases", purchase(event_id="e"), headers={"x-correlation-id": "till-1"})
    event_id = first.json()["event_id"]
    other = PurchaseCompleted(
        occurred_at=datetime(2026, 11, 2, tzinfo=UTC), order_id="o-2", customer_id="c-1", currency="EUR",
        total_minor=99, lines=(),
    )  # fmt: skip
    envelope = Envelope(
        id=UUID(event_id), type=other.TYPE, version=1, tenant=shop.tenant, source="treue/gateway",
        time=datetime(2026, 11, 3, tzinfo=UTC), correlation_id="till-2",
    )  # fmt: skip
    assert gateway.points.producer is not None
    await gateway.points.producer.send([record_of(envelope, other)], deadline_s=10)
    places = await gateway.places("treue.purchases", shop.tenant, 2)
    for service in (gateway.points, gateway.metrics):
        service.tell(
            "GET", f"/internal/events/{event_id}",
            view(event_id, place=places[0], conflicts=[{"received_at": "2026-11-03T00:00:00Z", "place": places[1]}]),
        )  # fmt: skip
    answer = (await shop.get(f"/v1/events/{event_id}")).json()
    assert answer["status"] == "applied"
    assert {name: answer["event"][name] for name in ("type", "order_id", "amount", "correlation_id")} == {
        "type": "purchase.completed", "order_id": "o-1", "amount": "30.00", "correlation_id": "till-1",
    }  # fmt: skip
    [conflict] = answer["conflicts"]
    assert conflict == {
        "status": "not_applied", "not_applied_by": ["points", "metrics"], "type": "purchase.completed",
        "order_id": "o-2", "customer_id": "c-1", "amount": "0.99", "currency": "EUR", "correlation_id": "till-2",
        "occurred_at": "2026-11-02T00:00:00+00:00", "received_at": "2026-11-03T00:00:00+00:00",
    }  # fmt: skip


def test_a_body_that_one_service_applied_and_another_refused_is_disputed() -> None:
    event_id = new_id()
    one, two = ({"topic": "treue.purchases", "part": part, "offset": 7} for part in (1, 2))
    told = {
        service: msgspec.convert(
            view(str(event_id), place=mine, conflicts=[{"received_at": "t", "place": other}]), ServiceView
        )
        for service, mine, other in (("points", one, two), ("metrics", two, one))
    }
    conflicts = merged(event_id, told)["conflicts"]  # type: ignore[arg-type]
    assert {(each["status"], *each["not_applied_by"]) for each in conflicts} == {
        ("not_applied", "points"), ("disputed", "metrics"),
    }  # fmt: skip


async def test_an_export_holds_what_all_services_hold(gateway: Gateway, shop: Shop) -> None:
    gateway.points.tell("GET", "/v1/customers/ada/balance", {"available": 1})
    gateway.points.tell("GET", "/v1/customers/ada/transactions", {"items": [1, 2], "next": None})
    gateway.notifications.tell("GET", "/v1/customers/ada/messages", {"items": ["m"], "next": None})
    gateway.metrics.tell("GET", "/internal/customers/ada/export", {"items": ["o"], "next": None})
    answer = await shop.get("/v1/customers/ada/export")
    assert answer.status_code == 200
    asked = [one.query for one in gateway.metrics.asked if one.path == "/internal/customers/ada/export"]
    assert sorted(asked) == [f"part={part}&limit=500" for part in ("events", "feedback", "orders")]
    found = answer.json()
    assert found["points"] == {"balance": {"available": 1}, "transactions": [1, 2]}
    assert found["notifications"] == {"messages": ["m"]}
    assert found["metrics"] == {"orders": ["o"], "feedback": ["o"], "events": ["o"]}
    token = (await shop.post("/v1/customer-tokens", {"customer_id": "ada"})).json()["token"]
    app = Shop(shop.tenant, token, gateway.http)
    assert (await app.get("/v1/customers/me/export")).json()["customer_id"] == "ada"
    assert (await app.get("/v1/customers/bob/export")).status_code == 404
    till = (await shop.post("/v1/keys", {"scopes": ["tokens:write"]})).json()["api_key"]
    token = (await Shop(shop.tenant, till, gateway.http).post("/v1/customer-tokens", {"customer_id": "ada"})).json()[
        "token"
    ]
    refused = await Shop(shop.tenant, token, gateway.http).get("/v1/customers/me/export")
    assert (refused.status_code, refused.json()["required_scope"]) == (403, "export:own")
    assert (await shop.get("/v1/customers/nobody/export")).json()["code"] == "customer_not_found"
    gateway.notifications.tell("GET", "/v1/customers/ada/messages", {}, status=503)
    assert (await shop.get("/v1/customers/ada/export")).status_code == 503
