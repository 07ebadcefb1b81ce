"""Who waits costs nobody else an answer."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from shared.http.waiting import AFTER_EVENT_WAIT_MS, WaitLimits
from shared.ids import new_id
from tests.support.eventually import until
from tests.support.gateway import Gateway, Shop

LIMITS = WaitLimits()


@pytest.fixture
async def slow(gateway: Gateway) -> AsyncIterator[Gateway]:
    """Points keeps whoever asks for an event waiting, and answers everybody else at once."""
    gateway.points.waits = asyncio.Event()
    yield gateway
    gateway.points.waits.set()
    gateway.points.waits = None


async def waiting(gateway: Gateway, count: int) -> None:
    async def enough() -> bool:
        return gateway.points.waiting >= count

    await until(enough)


async def app_of(shop: Shop, customer: str) -> Shop:
    token = (await shop.post("/v1/customer-tokens", {"customer_id": customer})).json()["token"]
    return Shop(shop.tenant, token, shop.http)


async def test_a_customer_who_waits_a_hundred_times_stops_nobody(slow: Gateway, shop: Shop) -> None:
    other = await slow.shop()
    eve = await app_of(shop, "eve")
    path = f"/v1/customers/me/balance?after_event={new_id()}&wait_ms=9000"
    slow.points.tell("GET", "/v1/customers/me/balance", {"available": 1})
    slow.points.tell("GET", "/v1/customers/bob/balance", {"available": 7})
    asked = [asyncio.create_task(eve.get(path)) for _ in range(120)]
    await waiting(slow, LIMITS.per_customer)
    for _ in range(5):
        answers = await asyncio.gather(*(other.get("/v1/customers/bob/balance") for _ in range(50)))
        assert {answer.status_code for answer in answers} == {200}
    assert slow.points.waiting == LIMITS.per_customer
    slow.points.waits.set()  # type: ignore[union-attr]
    answers = await asyncio.gather(*asked)
    assert Counter(answer.status_code for answer in answers) == {
        200: LIMITS.per_customer,
        429: 120 - LIMITS.per_customer,
    }
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "too_many_waits"
    assert int(refused.headers["retry-after"]) > 0


async def test_as_many_as_may_wait_leave_the_connections_of_the_others_alone(slow: Gateway) -> None:
    shops = [await slow.shop() for _ in range(3)]
    slow.points.tell("GET", "/v1/customers/bob/balance", {"available": 7})
    path = f"/v1/customers/bob/balance?after_event={new_id()}&wait_ms=10000"
    asked = [asyncio.create_task(shop.get(path)) for shop in shops for _ in range(LIMITS.per_key)]
    await waiting(slow, 3 * LIMITS.per_key)
    assert slow.points.waiting > slow.settings.forward_connections_max
    assert (await shops[0].get("/v1/customers/bob/balance")).json() == {"available": 7}
    slow.points.waits.set()  # type: ignore[union-attr]
    assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}


async def test_after_event_alone_waits_as_long_as_is_documented(gateway: Gateway, shop: Shop) -> None:
    """The service's own patience is not cut short by the gateway's."""
    gateway.points.tell("GET", "/v1/customers/bob/balance", {"available": 7})
    gateway.points.delay_s = AFTER_EVENT_WAIT_MS / 1000
    try:
        answer = await shop.get(f"/v1/customers/bob/balance?after_event={new_id()}")
    finally:
        gateway.points.delay_s = 0.0
    assert (answer.status_code, answer.json()) == (200, {"available": 7})


async def test_waiting_for_events_is_bounded_too(gateway: Gateway, shop: Shop) -> None:
    asked = [asyncio.create_task(shop.get(f"/v1/events/{new_id()}?wait_ms=4000")) for _ in range(LIMITS.per_key + 20)]
    found = Counter(answer.status_code for answer in await asyncio.gather(*asked))
    assert found == {404: LIMITS.per_key, 429: 20}
