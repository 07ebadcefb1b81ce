"""The answers, field by field, and what is refused."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.metrics.bootstrap import build_api
from services.metrics.settings import MetricsSettings
from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_READ, EVENTS_WRITE, METRICS_READ
from shared.auth.tokens import TokenSigner
from shared.clock import SystemClock
from shared.http.pagination import encode_cursor
from shared.messaging import offsets
from tests.support.lanes import Log
from tests.support.metrics import Metrics, Shop

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}
Ask = Callable[..., Awaitable[httpx.Response]]
FIGURES = ("repeat-purchase", "purchase-frequency", "average-order-value", "nps")


@pytest.fixture
async def ask(metrics: Metrics, shop: Shop, internal_private_key: str, internal_public_key: str) -> AsyncIterator[Ask]:
    settings = MetricsSettings(
        database_url="postgresql://unused", kafka_bootstrap="unused", internal_public_key=internal_public_key
    )  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=build_api(settings, metrics.engine))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:

        async def ask(
            path: str,
            query: Any = None,
            tenant: str = shop.tenant,
            scope: str = METRICS_READ,
            customer: str | None = None,
        ) -> httpx.Response:
            principal = Principal(tenant, frozenset({scope} if customer is None else ()), customer)
            token = TokenSigner(internal_private_key, SystemClock()).sign(principal, 60)
            return await client.get(path, params=query, headers={"authorization": f"Bearer {token}"})

        yield ask


async def figure(ask: Ask, name: str, query: Any = MARCH) -> dict[str, Any]:
    answer = await ask(f"/v1/metrics/{name}", query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    heading = [found.pop(name) for name in ("from", "to", "time_zone", "currency")]
    assert heading == [*query.values(), "Europe/Berlin", "EUR"]
    assert len(found.pop("definition")) > 50
    assert "complete_through" in found
    del found["complete_through"]
    return found


async def test_the_four_figures(metrics: Metrics, shop: Shop, ask: Ask) -> None:
    await metrics.apply(
        [
            shop.bought("o1", 1_000), shop.bought("o2", 2_000), shop.bought("o3", 2_000, "bob"),
            shop.bought("o4", 2_001, customer=None), shop.returned("o3", 500, "bob"),
        ]
    )  # fmt: skip
    await metrics.apply([shop.answered("a1", 9), shop.answered("a2", 8, "bob"), shop.answered("a3", 3, "eve")])

    assert await figure(ask, "repeat-purchase") == {"customers": 2, "repeat_customers": 1, "rate": 0.5}
    assert await figure(ask, "purchase-frequency") == {"orders": 3, "customers": 2, "frequency": 1.5}
    assert await figure(ask, "average-order-value") == {
        "orders": 4, "guest_orders": 1, "revenue": "70.01", "refunds": "5.00",
        "average_order_value": "17.5025", "average_order_value_net": "16.2525",
    }  # fmt: skip
    assert await figure(ask, "nps") == {"responses": 3, "promoters": 1, "passives": 1, "detractors": 1, "nps": 0.0}


async def test_nothing_can_be_said_of_nothing(ask: Ask) -> None:
    assert await figure(ask, "repeat-purchase") == {"customers": 0, "repeat_customers": 0, "rate": None}
    assert await figure(ask, "purchase-frequency") == {"orders": 0, "customers": 0, "frequency": None}
    assert await figure(ask, "average-order-value") == {
        "orders": 0, "guest_orders": 0, "revenue": "0.00", "refunds": "0.00", "average_order_value": None,
        "average_order_value_net": None,
    }  # fmt: skip
    assert await figure(ask, "nps") == {"responses": 0, "promoters": 0, "passives": 0, "detractors": 0, "nps": None}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ({}, {"/from": "required", "/to": "required"}),
        ({"from": "2026-13-01", "to": "1767225600"}, {"/from": "date", "/to": "date"}),
        ({"from": "2026-02-30", "to": "2026-03-01T00:00:00Z"}, {"/from": "date", "/to": "date"}),
        ({"from": "2026-03-01", "to": "2026-03-01"}, {"/to": "after"}),
        ({"from": "2026-03-02", "to": "2026-03-01"}, {"/to": "after"}),
        (MARCH | {"zone": "x"}, {"/zone": "unknown"}),
        ({"from": "0001-01-01", "to": "9999-12-31"}, {"/to": "span"}),
        ([*MARCH.items(), ("to", "2027-01-01")], {"/to": "once"}),
        ({"from": "\uff12026-03-01", "to": ""}, {"/from": "date", "/to": "date"}),
    ],
)
async def test_all_faults_of_a_period_are_named(ask: Ask, name: str, query: Any, rules: dict[str, str]) -> None:
    answer = await ask(f"/v1/metrics/{name}", query)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {fault["pointer"]: fault["rule"] for fault in answer.json()["errors"]} == rules


@pytest.mark.parametrize("name", FIGURES)
async def test_who_may_ask(ask: Ask, name: str) -> None:
    path = f"/v1/metrics/{name}"
    assert (await ask(path, MARCH, scope=CUSTOMERS_READ)).status_code == 403
    assert (await ask(path, {"from": "nonsense"}, customer="ada")).status_code == 403
    assert (await ask(path, MARCH, tenant="nobody's")).json()["code"] == "programme_unknown"


async def test_tenants_and_events_as_the_gateway_asks(metrics: Metrics, shop: Shop, ask: Ask) -> None:
    bought, again = shop.bought("o1"), shop.bought("o1", name="again")
    await Log(metrics).consume(0, [bought, again], 10)

    assert (await ask(f"/internal/tenants/{shop.tenant}")).json() == {"tenant": shop.tenant, "programme_version": 1}
    assert (await ask("/internal/tenants/unheard-of")).status_code == 404
    found = (await ask(f"/internal/events/{bought.id}", scope=EVENTS_WRITE)).json()
    assert (found["outcome"], found["effects"]) == ("applied", [{"kind": "order.counted", "order_id": "o1"}])
    assert (await ask(f"/internal/events/{again.id}", scope=EVENTS_WRITE)).json()["reason"] == "order_already_counted"
    assert (await ask(f"/internal/events/{bought.id}", tenant="another", scope=EVENTS_WRITE)).status_code == 404
    assert (await ask("/internal/events/nonsense", scope=EVENTS_WRITE)).status_code == 404


async def test_an_early_return_is_told_as_it_stands_now(metrics: Metrics, shop: Shop, ask: Ask) -> None:
    returns = {
        "waits": shop.returned("o1", 9_000, at=datetime(2026, 4, 2, tzinfo=UTC), customer=None),
        "first": shop.returned("o1", 2_000, customer=None),
        "other": shop.returned("o1", 500, customer="bob"),
    }

    async def told() -> dict[str, tuple[str, str | None, list[Any]]]:
        found = {}
        for name, event in returns.items():
            seen = (await ask(f"/internal/events/{event.id}", scope=EVENTS_WRITE)).json()
            found[name] = (seen["outcome"], seen["reason"], seen["effects"])
        return found

    log = Log(metrics)
    await log.consume(0, list(returns.values()), 10)
    assert await told() == dict.fromkeys(returns, ("accepted", "waits_for_purchase", []))

    await log.consume(1, [shop.bought("o1"), late := shop.returned("o1", 1)], 10)
    decided = {
        "waits": ("rejected", "return_exceeds_purchase", []),
        "first": ("applied", None, [{"kind": "order.refunded", "order_id": "o1"}]),
        "other": ("rejected", "customer_not_of_order", []),
    }
    assert await told() == decided
    await log.consume(2, [shop.cancelled("o1")], 10)
    returns["late"] = late
    assert await told() == decided | {"late": decided["first"]}


async def test_complete_through_is_that_of_the_slowest_partition(metrics: Metrics, shop: Shop, ask: Ask) -> None:
    async def through() -> Any:
        return (await ask("/v1/metrics/nps", MARCH)).json()["complete_through"]

    async with metrics.tx() as tx:
        await tx.raw.execute("UPDATE consumer_offset SET topic = 'past' WHERE topic = 'treue.feedback'")
    assert await through() is None
    claims = [await offsets.claim(metrics.engine, "treue.feedback", part, 0, "cluster", "test") for part in (0, 1)]
    assert await through() is None
    async with metrics.tx() as tx:
        await tx.raw.execute(
            "UPDATE consumer_offset SET last_record_at = timestamptz '2026-03-01 12:00:00Z' + part * interval '1 day'"
            " WHERE topic = 'treue.feedback'"
        )
    assert await through() == "2026-03-01T12:00:00Z"
    await offsets.note_caught_up(metrics.engine, claims[:1])
    assert await through() == "2026-03-02T12:00:00Z"


async def test_what_is_held_about_a_customer(metrics: Metrics, shop: Shop, ask: Ask) -> None:
    await metrics.apply(
        [shop.bought("o1", 1_000), shop.bought("o2", 2_000), shop.bought("o3", 5, "bob"), shop.returned("o2", 500)]
    )
    await metrics.apply([shop.answered("a1", 9), shop.answered("a2", 3), shop.answered("b1", 8, "bob")])
    path = "/internal/customers/ada/export"

    async def pages(part: str) -> list[Any]:
        found, cursor = [], {}
        while cursor is not None:
            page = (await ask(path, {"part": part, "limit": 1} | cursor, scope=CUSTOMERS_READ)).json()
            found += page["items"]
            cursor = {"cursor": page["next"]} if page["next"] else None
        return found

    first, second = await pages("orders")
    assert (first["order_id"], first["total"], first["refunds"], first["currency"]) == ("o1", "10.00", [], "EUR")
    assert (second["order_id"], second["refunded"], second["cancelled"]) == ("o2", "5.00", False)
    assert [(refund["amount"], refund["refused"]) for refund in second["refunds"]] == [("5.00", False)]
    said = await pages("feedback")
    assert sorted((answer["kind"], answer["score"]) for answer in said) == [("nps", 3), ("nps", 9)]
    assert all(answer["occurred_at"] and answer["business_date"] for answer in said)

    own = await ask("/internal/customers/me/export", {"part": "orders"}, customer="bob")
    assert [order["order_id"] for order in own.json()["items"]] == ["o3"]


async def test_nobody_sees_what_is_held_about_others(metrics: Metrics, shop: Shop, ask: Ask) -> None:
    await metrics.apply([shop.bought("o1", 1_000)])
    path, orders = "/internal/customers/ada/export", {"part": "orders"}
    assert (await ask(path, orders, scope=CUSTOMERS_READ)).status_code == 200
    assert (await ask(path, orders, scope=METRICS_READ)).status_code == 403
    assert (await ask(path, orders, customer="bob")).json()["code"] == "customer_not_found"
    assert (await ask(path, orders, tenant="another", scope=CUSTOMERS_READ)).status_code == 404
    assert (await ask(path, {"part": "feedback"}, scope=CUSTOMERS_READ)).status_code == 404
    assert (await ask(path, {"part": "all"}, scope=CUSTOMERS_READ)).status_code == 422
    broken = orders | {"cursor": encode_cursor({"after": 7})}
    assert (await ask(path, broken, scope=CUSTOMERS_READ)).status_code == 422
