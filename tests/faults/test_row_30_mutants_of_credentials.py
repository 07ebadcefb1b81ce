"""Row 30, at the doors: who may see and say what. Each check is taken away, and the test that is there for it must go
red."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.gateway.auth.throttle import Throttle
from services.gateway.ingest import stamping
from services.gateway.remembered import Remembered
from services.gateway.token_bucket import TokenBucket
from services.points.adapters import entries
from services.points.entrypoints import transactions
from shared.auth import tokens
from shared.auth.principal import Principal
from shared.auth.tokens import TokenSigner, TokenVerifier
from shared.clock import SystemClock
from tests.integration.gateway import test_credentials, test_ingest
from tests.integration.points import test_http
from tests.support.gateway import running_gateway
from tests.support.points import Books
from tests.support.points_api import PointsApi
from tests.support.stack import Database, Parts
from tests.unit.shared.auth import test_tokens
from tests.unit.shared.auth.conftest import private_pem, public_pem


def _whoever_is_named(_: Principal, customer_id: str, scope: str = "") -> str:
    return customer_id


async def test_when_a_customer_may_name_another_one_they_read_them(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Principal, "customer_for", _whoever_is_named)
    with pytest.raises(AssertionError):
        await test_http.test_nobody_reads_what_is_not_theirs(books, PointsApi(books))


async def test_when_an_entry_is_not_asked_whose_it_is_everybody_reads_it(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "_may_see", lambda *_: True)
    with pytest.raises(AssertionError):
        await test_http.test_nobody_reads_what_is_not_theirs(books, PointsApi(books))


async def test_when_the_tenant_is_not_in_the_query_another_shop_reads_it(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "_ENTRY", entries._ENTRY.replace("e.tenant = $1", "$1::text IS NOT NULL"))
    with pytest.raises(AssertionError):
        await test_http.test_nobody_reads_what_is_not_theirs(books, PointsApi(books))


async def test_when_the_customer_is_taken_from_the_body_a_token_speaks_for_others(
    parts: Parts, database: Callable[[str], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Principal, "customer_for", _whoever_is_named)
    async with running_gateway(parts, await database("gateway")) as gateway:
        with pytest.raises(AssertionError):
            await test_ingest.test_a_customers_token_speaks_for_itself_alone(gateway, await gateway.shop())


async def test_when_all_callers_share_one_namespace_a_customer_takes_the_shops_event(
    parts: Parts, database: Callable[[str], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamping, "_source", lambda *_: "event")
    async with running_gateway(parts, await database("gateway")) as gateway:
        with pytest.raises(AssertionError):
            await test_ingest.test_nobody_takes_a_name_away_from_the_shop(gateway, await gateway.shop())
        with pytest.raises(AssertionError):
            await test_ingest.test_a_purchase_and_its_return_may_bear_the_orders_number(await gateway.shop())


async def test_when_a_token_does_not_ask_for_its_key_it_outlives_it(
    parts: Parts, database: Callable[[str], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def alive(*_: Any) -> None: ...

    async with running_gateway(parts, await database("gateway")) as gateway:
        shop = await gateway.shop()
        real = Remembered.get

        async def get(self: Any, key: Any) -> Any:
            return await (alive() if isinstance(key, str) and len(key) == 22 else real(self, key))

        monkeypatch.setattr(Remembered, "get", get)
        with pytest.raises(AssertionError):
            await test_credentials.test_a_customers_token_ends_with_its_key(gateway, shop)


async def test_when_nobody_counts_wrong_credentials_each_is_looked_up(
    parts: Parts, database: Callable[[str], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Throttle, "charge", lambda _: TokenBucket(1, 1))
    with pytest.raises(AssertionError):
        await test_credentials.test_many_wrong_credentials_are_not_looked_up_and_hurt_nobody_who_is_known(
            parts, database, monkeypatch
        )


def test_when_signatures_are_not_checked_anybody_makes_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    real = jwt.decode

    def unchecked(token: str, *_: Any, options: Mapping[str, Any], **more: Any) -> Any:
        return real(token, options={**options, "verify_signature": False}, audience=more["audience"])

    monkeypatch.setattr(tokens.jwt, "decode", unchecked)
    key = Ed25519PrivateKey.generate()
    signer = TokenSigner(private_pem(key), SystemClock())
    with pytest.raises(pytest.fail.Exception):
        test_tokens.test_a_token_without_a_signature_is_nothing(signer, TokenVerifier(public_pem(key), SystemClock()))
