"""What users see while Kafka or Postgres are away: events come in while Kafka takes them, and nobody waits long."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy.engine import make_url

from tests.integration.gateway.test_ingest import purchase
from tests.support.eventually import until
from tests.support.gateway import Gateway, Shop, running_gateway
from tests.support.proxy import Door, door_to
from tests.support.stack import Database, Parts


@pytest.fixture
async def behind_a_door(
    parts: Parts, database: Callable[[str], Awaitable[Database]]
) -> AsyncIterator[tuple[Gateway, Door]]:
    """A gateway whose database can be taken away."""
    real = await database("gateway")
    url = make_url(real.app)
    async with door_to(str(url.host), int(url.port or 5432)) as door:
        through = url.set(host="127.0.0.1", port=door.port).render_as_string(hide_password=False)
        async with running_gateway(parts, replace(real, app=through)) as gateway:
            yield gateway, door
            await door.open()


async def status_of(gateway: Gateway, path: str) -> int:
    return (await gateway.http.get(path)).status_code


async def quickly(shop: Shop, order: str) -> int:
    """The status of a purchase, which must not take two seconds."""
    start = time.monotonic()
    answer = await shop.post("/v1/purchases", purchase(order_id=order, event_id=order))
    assert time.monotonic() - start < 2.0
    if answer.status_code == 503:
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code


@pytest.mark.parametrize("how", ["gone", "hanging"])
async def test_events_come_in_while_postgres_is_away(behind_a_door: tuple[Gateway, Door], how: str) -> None:
    gateway, door = behind_a_door
    shop, unseen = await gateway.shop(), await gateway.shop()
    assert await quickly(shop, "before") == 202
    assert await status_of(gateway, "/readyz") == 200
    await (door.close() if how == "gone" else asyncio.to_thread(door.stick))
    end = time.monotonic() + 10  # longer than any answer of the database is fresh
    while time.monotonic() < end:
        assert await quickly(shop, f"during-{time.monotonic()}") == 202
        await asyncio.sleep(0.2)
    assert await asyncio.gather(*(quickly(unseen, f"unseen-{n}") for n in range(20))) == [503] * 20
    stranger = await unseen.post("/v1/purchases", {})
    assert stranger.json()["code"] == "database_unavailable"
    assert await status_of(gateway, "/livez") == 200
    assert await status_of(gateway, "/readyz") == 200  # it takes events: it must go on being sent some
    assert "database" in (await gateway.http.get("/readyz")).json()["away"]
    await door.open()

    async def well_again() -> bool:
        return await quickly(unseen, "after") == 202

    await until(well_again, within_s=20)


async def test_with_kafka_away_503_in_time_and_questions_go_on(parts: Parts, gateway: Gateway, shop: Shop) -> None:
    gateway.points.tell("GET", "/v1/customers/c-1/balance", {"available": 7})
    assert await quickly(shop, "before") == 202
    with parts.frozen("kafka"):
        assert await asyncio.gather(*(quickly(shop, f"during-{n}") for n in range(5))) == [503] * 5
        answer = await shop.post(
            "/v1/purchases/batch", {"purchases": [purchase(event_id="during-0", order_id="during-0")]}
        )
        assert (answer.status_code, answer.json()["outcome"]) == (503, "unknown")
        assert (await shop.get("/v1/customers/c-1/balance")).json() == {"available": 7}
        assert await status_of(gateway, "/livez") == 200

    async def taken() -> bool:
        return await quickly(shop, "during-0") == 202

    await until(taken, within_s=30)


async def test_one_tenant_cannot_take_all_the_room(
    parts: Parts, database: Callable[[str], Awaitable[Database]]
) -> None:
    limits = {"in_flight_tenant_max": 5, "in_flight_max": 8}
    async with running_gateway(parts, await database("gateway"), **limits) as gateway:
        shop, other = await gateway.shop(), await gateway.shop()
        assert (await quickly(shop, "before"), await quickly(other, "before")) == (202, 202)
        with parts.frozen("kafka"):
            answers = await asyncio.gather(*(quickly(shop, f"o-{n}") for n in range(8)))
            assert sorted(answers) == [429] * 3 + [503] * 5

        async def taken() -> bool:
            return await quickly(other, "after") == 202

        await until(taken, within_s=30)


async def test_too_fast_is_429(parts: Parts, database: Callable[[str], Awaitable[Database]]) -> None:
    async with running_gateway(parts, await database("gateway"), rate_per_s=0.01, rate_burst=502.0) as gateway:
        shop = await gateway.shop()
        assert await batch_of(shop, 500) == 202
        assert [await quickly(shop, f"o-{n}") for n in range(2)] == [202] * 2
        answer = await shop.post("/v1/purchases", purchase())
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert int(answer.headers["retry-after"]) >= 1


SAID = {"kind": "nps", "score": 9, "occurred_at": "2026-11-01T10:00:00Z"}


async def batch_of(shop: Shop, count: int) -> int:
    return (await shop.post("/v1/purchases/batch", {"purchases": [purchase() for _ in range(count)]})).status_code


async def test_a_tenant_has_one_limit_over_all_its_keys_and_others_have_their_own(
    parts: Parts, database: Callable[[str], Awaitable[Database]]
) -> None:
    limits = {"tenant_rate_per_s": 0.01, "tenant_rate_burst": 600.0}
    async with running_gateway(parts, await database("gateway"), **limits) as gateway:
        shop, quiet = await gateway.shop(), await gateway.shop()
        made = await shop.post("/v1/keys", {"scopes": ["events:write"]})
        other_key = Shop(shop.tenant, made.json()["api_key"], gateway.http)
        token = (await shop.post("/v1/customer-tokens", {"customer_id": "ada"})).json()["token"]
        app = Shop(shop.tenant, token, gateway.http)

        assert await batch_of(shop, 500) == 202
        assert await batch_of(other_key, 100) == 202
        for caller, path, body in ((shop, "purchases", purchase()), (app, "feedback", SAID)):
            refused = await caller.post(f"/v1/{path}", body)
            assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited"), refused.text
            assert int(refused.headers["retry-after"]) >= 1
        assert await batch_of(quiet, 500) == 202

        path = f"/v1/tenants/{shop.tenant}/limit"
        raised = await gateway.operator.call("PUT", path, {"events_per_s": 1_000})
        assert (raised.status_code, raised.json()["events_per_s"]) == (200, 1_000)
        assert await batch_of(other_key, 500) == 202
        assert (await shop.call("PUT", path, {"events_per_s": 1_000})).status_code == 403
        for bad in (0, -1, "7", 1.5):
            assert (await gateway.operator.call("PUT", path, {"events_per_s": bad})).status_code == 422
        unknown = await gateway.operator.call("PUT", "/v1/tenants/nobody/limit", {"events_per_s": 5})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "tenant_not_found")


async def test_a_customers_token_has_a_limit_of_its_own(
    parts: Parts, database: Callable[[str], Awaitable[Database]]
) -> None:
    limits = {"customer_rate_per_s": 0.01, "customer_rate_burst": 500.0}
    async with running_gateway(parts, await database("gateway"), **limits) as gateway:
        shop = await gateway.shop()

        async def app() -> Shop:
            token = (await shop.post("/v1/customer-tokens", {"customer_id": "ada"})).json()["token"]
            return Shop(shop.tenant, token, gateway.http)

        first, second = await app(), await app()
        answers = {"feedback": [SAID for _ in range(500)]}
        assert (await first.post("/v1/feedback/batch", answers)).status_code == 202
        assert (await second.post("/v1/feedback", SAID)).status_code == 429
        assert await batch_of(shop, 500) == 202


async def test_a_gateway_starts_before_its_servers_and_stops_cleanly(
    parts: Parts, database: Callable[[str], Awaitable[Database]]
) -> None:
    from services.gateway.bootstrap import run_api, run_worker
    from services.gateway.settings import GatewaySettings
    from tests.support.gateway import KeyPair, free_port

    keys = KeyPair.fresh()
    nowhere = {
        "database_url": f"postgresql://x:y@127.0.0.1:{free_port()}/z",
        "kafka_bootstrap": f"127.0.0.1:{free_port()}",
    }
    settings = GatewaySettings.model_validate(
        nowhere
        | {"internal_public_key": keys.public, "signing_key": keys.private, "key_pepper": "p", "admin_key": "a"}
        | {"port": free_port(), "worker_port": free_port(), "shutdown_timeout_s": 2}
    )
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run_api(settings, stop)), asyncio.create_task(run_worker(settings, stop))]
    await asyncio.sleep(3)
    assert not any(task.done() for task in tasks)
    start = time.monotonic()
    stop.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 20)
    assert time.monotonic() - start < 20
