"""Alive, and ready: two different questions."""

import asyncio

import pytest
from httpx import ASGITransport, AsyncClient, Response

from shared.errors import UnavailableError
from shared.http.app import Application, create_app
from shared.http.health import ReadinessCheck


async def fine() -> None:
    """Nothing is missing."""


async def broken() -> None:
    raise ConnectionRefusedError("could not connect to db.internal:5432 as points_api")


async def told() -> None:
    raise UnavailableError("no connection to Kafka")


async def slow() -> None:
    await asyncio.sleep(60)


def app_with(*checks: ReadinessCheck) -> Application:
    return create_app(service="test", version="1", title="Test", checks=checks)


async def ask(app: Application, path: str) -> Response:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://treue.test") as client:
        return await client.get(path)


async def test_ready_names_its_checks() -> None:
    answer = await ask(app_with(ReadinessCheck("database", fine), ReadinessCheck("kafka", fine)), "/readyz")
    assert answer.json() == {"status": "ready", "checks": ["database", "kafka"]}


async def test_not_ready_says_what_and_why_but_no_addresses() -> None:
    app = app_with(
        ReadinessCheck("database", broken),
        ReadinessCheck("kafka", told),
        ReadinessCheck("mail", slow, timeout_s=0.01),
        ReadinessCheck("disk", fine),
    )
    answer = await ask(app, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["code"] == "not_ready"
    assert answer.json()["not_ready"] == {
        "database": "ConnectionRefusedError",
        "kafka": "no connection to Kafka",
        "mail": "no answer within 0.01 s",
    }
    assert int(answer.headers["retry-after"]) >= 1
    assert (await ask(app, "/livez")).status_code == 200


async def test_what_is_needed_only_to_begin_is_missed_aloud_and_the_process_stays_ready() -> None:
    there = False

    async def sometimes() -> None:
        if not there:
            raise ConnectionRefusedError

    app = app_with(ReadinessCheck("database", sometimes, only_to_begin=True), ReadinessCheck("kafka", fine))
    assert (await ask(app, "/readyz")).json()["not_ready"] == {"database": "ConnectionRefusedError"}
    there = True
    await asyncio.sleep(0.6)
    assert (await ask(app, "/readyz")).json() == {"status": "ready", "checks": ["database", "kafka"]}
    there = False
    await asyncio.sleep(0.6)
    answer = await ask(app, "/readyz")
    assert answer.status_code == 200
    assert answer.json()["away"] == {"database": "ConnectionRefusedError"}


async def test_checks_run_side_by_side_and_are_not_repeated_by_who_asks_often() -> None:
    asked = 0

    async def counted() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)

    app = app_with(ReadinessCheck("a", counted), ReadinessCheck("b", counted))
    answers = await asyncio.gather(*(ask(app, "/readyz") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert asked == 2


async def test_a_process_that_ends_is_not_ready() -> None:
    app = app_with(ReadinessCheck("database", fine))
    assert (await ask(app, "/readyz")).status_code == 200
    app.readiness.close()
    answer = await ask(app, "/readyz")
    assert answer.json()["not_ready"] == {"process": "shutting down"}


async def test_a_check_that_is_cancelled_with_its_request_harms_nobody() -> None:
    app = app_with(ReadinessCheck("slow", slow, timeout_s=0.2))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await ask(app, "/readyz")
    assert (await ask(app, "/readyz")).status_code == 503
