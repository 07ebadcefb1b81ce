"""What became of an event, put together from three services."""

import asyncio
from typing import Any

import msgspec
import pytest

from services.gateway.forwarding.events import ServiceView, Views, merged
from shared.ids import new_id
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
    assert answer["status"] == "accepted"
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
    assert answer["conflicts"] == [{"received_at": "t"}]
    assert answer["services"]["metrics"]["status"] == "applied"


@pytest.mark.parametrize(
    ("topic", "listening"),
    [
        ("treue.purchases", {"points", "metrics"}),
        ("treue.feedback", {"points", "notifications", "metrics"}),
        ("treue.activities", {"points", "metrics"}),
        ("treue.customers", {"points", "notifications"}),
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
    gateway.metrics.tell("GET", f"/internal/events/{event_id}", view(event_id, topic="treue.feedback"))
    answer = await asyncio.wait_for(asking, 2)
    assert answer.json()["status"] == "applied"


async def test_a_service_that_is_away(gateway: Gateway, shop: Shop) -> None:
    event_id = str(new_id())
    path = f"/internal/events/{event_id}"
    gateway.points.tell("GET", path, view(event_id))
    gateway.metrics.tell("GET", path, {}, status=503)
    answer = await shop.get(f"/v1/events/{event_id}")
    assert answer.json()["status"] == "applied"
    assert answer.json()["services"]["metrics"] == {"status": "unavailable"}
    gateway.points.tell("GET", path, {}, status=503)
    gateway.metrics.tell("GET", path, view(event_id))
    assert (await shop.get(f"/v1/events/{event_id}")).status_code == 503
    gateway.metrics.tell("GET", path, {}, status=404)
    assert (await shop.get(f"/v1/events/{event_id}")).status_code == 503


async def test_customers_do_not_ask_for_events(gateway: Gateway, shop: Shop) -> None:
    token = (await shop.post("/v1/customer-tokens", {"customer_id": "ada"})).json()["token"]
    assert (await Shop(shop.tenant, token, gateway.http).get(f"/v1/events/{new_id()}")).status_code == 403


async def test_an_export_holds_what_all_services_hold(gateway: Gateway, shop: Shop) -> None:
    gateway.points.tell("GET", "/v1/customers/ada/balance", {"available": 1})
    gateway.points.tell("GET", "/v1/customers/ada/transactions", {"items": [1, 2], "next": None})
    gateway.notifications.tell("GET", "/v1/customers/ada/messages", {"items": ["m"], "next": None})
    gateway.metrics.tell("GET", "/internal/customers/ada/export", {"items": ["o"], "next": None})
    answer = await shop.get("/v1/customers/ada/export")
    assert answer.status_code == 200
    asked = [one.query for one in gateway.metrics.asked if one.path == "/internal/customers/ada/export"]
    assert sorted(asked) == ["part=feedback&limit=500", "part=orders&limit=500"]
    found = answer.json()
    assert found["points"] == {"balance": {"available": 1}, "transactions": [1, 2]}
    assert found["notifications"] == {"messages": ["m"]}
    assert found["metrics"] == {"orders": ["o"], "feedback": ["o"]}
    token = (await shop.post("/v1/customer-tokens", {"customer_id": "ada"})).json()["token"]
    app = Shop(shop.tenant, token, gateway.http)
    assert (await app.get("/v1/customers/me/export")).json()["customer_id"] == "ada"
    assert (await app.get("/v1/customers/bob/export")).status_code == 404
    assert (await shop.get("/v1/customers/nobody/export")).json()["code"] == "customer_not_found"
    gateway.notifications.tell("GET", "/v1/customers/ada/messages", {}, status=503)
    assert (await shop.get("/v1/customers/ada/export")).status_code == 503
