"""What pages of other sites get from a browser."""

import pytest
from httpx import ASGITransport, AsyncClient, Response

from services.gateway.settings import GatewaySettings
from shared.http.app import create_app
from shared.http.cors import Cors
from shared.http.hot import HotRequest, HotResponse
from tests.unit.shared.http.conftest import ADA, HOT, VERIFIER, bearer, router

SHOP = "https://shop.example"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


def browser(*origins: str) -> AsyncClient:
    async def forwarded(request: HotRequest) -> HotResponse:
        raise AssertionError(f"{request.method} was passed on")

    app = create_app(
        service="test", version="1", title="Test", verifier=VERIFIER, routers=[router()],
        hot={**HOT, ("*", "/v1/programme"): forwarded}, closed_below="/v1/",
        cors=Cors(origins, "/v1/") if origins else None,
    )  # fmt: skip
    return AsyncClient(transport=ASGITransport(app), base_url="http://treue.test")


def allowances(answer: Response) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("path", ["/v1/purchases", "/v1/programme", "/v1/quotes", "/v1/nowhere"])
async def test_a_listed_page_may_ask_without_a_credential_and_learns_nothing(path: str) -> None:
    async with browser(SHOP, "http://localhost:3000") as client:
        answer = await client.options(path, headers=PREFLIGHT | {"origin": SHOP})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE"
    allowed = {name.lower() for name in answer.headers["access-control-allow-headers"].split(", ")}
    assert {"authorization", "content-type", "idempotency-key", "if-match", "if-none-match"} <= allowed
    assert "access-control-allow-credentials" not in answer.headers


async def test_every_answer_to_it_can_be_read_and_so_can_every_problem() -> None:
    async with browser(SHOP) as client:
        hot = await client.get("/v1/customers/me/balance", headers=bearer(ADA) | {"origin": SHOP})
        cold = await client.get("/v1/customers/me/messages", headers=bearer(ADA) | {"origin": SHOP})
        refused = await client.get("/v1/customers/me/messages", headers={"origin": SHOP})
        nowhere = await client.get("/v1/nowhere", headers=bearer(ADA) | {"origin": SHOP})
        broken = await client.get("/v1/broken", headers=bearer(ADA) | {"origin": SHOP})
        large = await client.get("/v1/broken", headers={"origin": SHOP, "x-large": "x" * 20_000})
    answers = (hot, cold, refused, nowhere, broken, large)
    assert [answer.status_code for answer in answers] == [200, 200, 401, 404, 500, 431]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["vary"] == "Origin"
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert exposed == ["ETag", "Location", "Retry-After", "X-Correlation-Id"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example", f"{SHOP}:8443", f"{SHOP}.evil.example", "null", "*", ""]
)
async def test_no_other_page_gets_anything(origin: str) -> None:
    async with browser(SHOP) as client:
        asked = await client.options("/v1/purchases", headers=PREFLIGHT | {"origin": origin})
        answer = await client.get("/v1/customers/me/balance", headers=bearer(ADA) | {"origin": origin})
        silent = await client.get("/v1/customers/me/balance", headers=bearer(ADA))
    assert (asked.status_code, answer.status_code) == (401, 200)
    assert allowances(asked) | allowances(answer) | allowances(silent) == set()
    assert asked.headers["vary"] == answer.headers["vary"] == silent.headers["vary"] == "Origin"


async def test_without_a_list_and_outside_of_the_contract_nothing_is_said() -> None:
    async with browser() as client:
        asked = await client.options("/v1/purchases", headers=PREFLIGHT | {"origin": SHOP})
        answer = await client.get("/v1/customers/me/balance", headers=bearer(ADA) | {"origin": SHOP})
    async with browser(SHOP) as client:
        figures = await client.get("/metrics", headers={"origin": SHOP})
        outside = await client.options("/metrics", headers=PREFLIGHT | {"origin": SHOP})
    assert (asked.status_code, answer.status_code, figures.status_code, outside.status_code) == (401, 200, 200, 204)
    for one in (asked, answer, figures, outside):
        assert allowances(one) == set()
        assert "vary" not in one.headers


async def test_an_ordinary_options_still_needs_a_caller() -> None:
    async with browser(SHOP) as client:
        assert (await client.options("/v1/purchases", headers={"origin": SHOP})).status_code == 401
        answer = await client.options("/v1/purchases", headers=bearer() | {"origin": SHOP})
    assert answer.headers["allow"] == "OPTIONS, POST"


def settings(monkeypatch: pytest.MonkeyPatch, origins: str | None) -> GatewaySettings:
    for name in ("DATABASE_URL", "SIGNING_KEY", "KEY_PEPPER", "ADMIN_KEY"):
        monkeypatch.setenv(f"GATEWAY_{name}", "x")
    for name in ("KAFKA_BOOTSTRAP", "INTERNAL_PUBLIC_KEY"):
        monkeypatch.setenv(name, "x")
    if origins is not None:
        monkeypatch.setenv("GATEWAY_CORS_ORIGINS", origins)
    return GatewaySettings()  # type: ignore[call-arg]


def test_the_setting_lists_origins_and_is_empty_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, None).cors_origins == ()
    assert settings(monkeypatch, "").cors_origins == ()
    found = settings(monkeypatch, "https://shop.example, http://localhost:3000,http://[::1]:3000")
    assert found.cors_origins == (SHOP, "http://localhost:3000", "http://[::1]:3000")


@pytest.mark.parametrize("origin", ["*", "null", "shop.example", f"{SHOP}/", f"{SHOP}/app", "https://Shop.example"])
def test_what_no_browser_would_send_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        settings(monkeypatch, origin)
