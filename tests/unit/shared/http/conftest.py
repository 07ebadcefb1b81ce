"""A small service over the real application factory, asked without a network."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Response
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel, ConfigDict, Field

from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_READ
from shared.auth.tokens import TokenSigner, TokenVerifier
from shared.clock import SystemClock
from shared.errors import ConflictError
from shared.http.app import Application, create_app
from shared.http.body import json_body
from shared.http.caller import Caller, hot_caller
from shared.http.hot import HotRequest, HotResponse
from shared.http.pagination import LIMIT_DEFAULT, Cursor, Limit, Page, decode_cursor, encode_cursor
from tests.unit.shared.auth.conftest import private_pem, public_pem

KEY = Ed25519PrivateKey.generate()
SIGNER = TokenSigner(private_pem(KEY), SystemClock())
VERIFIER = TokenVerifier(public_pem(KEY), SystemClock())
SHOP = Principal("demo", frozenset({CUSTOMERS_READ}), None, "key-1")
ADA = Principal("demo", frozenset(), "ada")

Ask = Callable[..., Awaitable[Any]]


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: str
    quantity: int = Field(gt=0)


class Quote(BaseModel):
    model_config = ConfigDict(extra="forbid")

    total: str = Field(pattern=r"^\d+\.\d\d$")
    lines: list[Line]


def router() -> APIRouter:
    """Cold routes of every kind."""
    routes = APIRouter(prefix="/v1", tags=["quotes"])

    @routes.post("/quotes", status_code=201)
    async def quote(caller: Caller, body: Annotated[Quote, json_body(Quote)]) -> Quote:
        """What this cart would earn."""
        return body

    @routes.get("/customers/{customer_id}/messages")
    async def messages(
        customer_id: str, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> Page[str]:
        position = decode_cursor(cursor)
        return Page(items=[caller.customer_for(customer_id)], next=encode_cursor({"after": limit} | position))

    @routes.get("/broken")
    async def broken() -> Response:
        raise RuntimeError("the secret of ada@example.org")

    @routes.get("/conflict")
    async def conflict() -> Response:
        raise ConflictError("Not now.", code="insufficient_points", available=3, status="no")

    return routes


async def _balance(request: HotRequest) -> HotResponse:
    customer = hot_caller(request, VERIFIER).customer_for(request.params["customer_id"])
    return HotResponse(200, customer.encode(), ((b"content-type", b"text/plain"), (b"etag", b'"7"')))


async def _purchase(request: HotRequest) -> HotResponse:
    return HotResponse(202, b"%d" % len(await request.body(1000, 0.2)))


async def _hot_broken(request: HotRequest) -> HotResponse:
    raise RuntimeError("the secret of ada@example.org")


HOT = {
    ("GET", "/v1/customers/{customer_id}/balance"): _balance,
    ("POST", "/v1/purchases"): _purchase,
    ("GET", "/v1/hot-broken"): _hot_broken,
}


@pytest.fixture
def app() -> Application:
    return create_app(service="test", version="1", title="Test", verifier=VERIFIER, routers=[router()], hot=HOT)


@pytest.fixture
async def client(app: Application) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://treue.test") as client:
        yield client


def bearer(principal: Principal = SHOP) -> dict[str, str]:
    """The header that speaks for a principal."""
    return {"authorization": f"Bearer {SIGNER.sign(principal, 60)}"}
