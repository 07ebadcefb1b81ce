"""Every operation is asked with every scope and with a customer's token: it lets in whom its description names, and
nobody else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.gateway.entrypoints.examples import request_examples
from services.gateway.entrypoints.scopes import NEEDS, Need
from shared.auth.scopes import ADMIN, SCOPES
from shared.ids import new_id
from tests.e2e.test_erasure_canary import Caller
from tests.support.platform import Platform

CUSTOMER = "c-4711"  # whom the examples speak of
OPERATIONS = [(method, path, need) for (method, path), need in NEEDS.items()]
_PERIOD = "?from=2026-01-01&to=2026-04-01"


class Shop:
    """A tenant with a key of each scope, a customer, and what that customer did."""

    def __init__(self, platform: Platform) -> None:
        made = platform.treue("tenants", "create", f"scopes-{new_id().hex[-12:]}", "--currency", "EUR")
        self.whole = Caller(platform, made["api_key"])
        self.keys = {scope: Caller(platform, self._key(scope)) for scope in SCOPES if scope != ADMIN}
        self.keys[ADMIN] = Caller(platform, platform.admin_key)
        self.app = Caller(platform, self._token(self.whole))
        self.guarded_app = Caller(platform, self._token(self.keys["tokens:write"]))
        self.bodies = request_examples(datetime.now(UTC))  # noqa: TID251
        self.bodies["post", "/v1/keys"] = {"scopes": ["keys:write"]}
        self.whole.done("PUT", f"/v1/customers/{CUSTOMER}", self.bodies["put", "/v1/customers/{customer_id}"])
        bought = self.whole.done("POST", "/v1/purchases", self.bodies["post", "/v1/purchases"])
        self.ids = {
            "customer_id": CUSTOMER, "event_id": bought["event_id"], "key_id": "none", "tenant": "none",
            "entry_id": next(one["entry_id"] for one in bought["effects"] if "entry_id" in one),
        }  # fmt: skip

    def _key(self, scope: str) -> str:
        status, made = self.whole("POST", "/v1/keys", {"scopes": [scope]})
        assert status == 201, made
        return str(made["api_key"])

    def _token(self, key: Caller) -> str:
        status, made = key("POST", "/v1/customer-tokens", {"customer_id": CUSTOMER})
        assert status == 201, made
        return str(made["token"])

    def ask(self, caller: Caller, method: str, path: str, **ids: str) -> tuple[int, Any]:
        wanted = path.format(**(self.ids | ids)) + (_PERIOD if "/metrics/" in path else "")
        return caller(method.upper(), wanted, self.bodies.get((method, path)))


@pytest.fixture(scope="module")
def shop(platform: Platform) -> Shop:
    return Shop(platform)


@pytest.mark.parametrize(("method", "path", "need"), OPERATIONS)
def test_an_operation_lets_in_the_keys_that_it_names(shop: Shop, method: str, path: str, need: Need) -> None:
    ids = {"customer_id": "c-gone"} if method == "delete" else {}
    let_in = set()
    for scope, key in shop.keys.items():
        status, answer = shop.ask(key, method, path, **ids)
        assert status < 500, answer
        assert status != 401, answer
        if status != 403:
            let_in.add(scope)
        elif need.scopes and scope != ADMIN:
            assert answer["required_scope"] in need.scopes, answer
    assert let_in == (set(need.scopes) or set(SCOPES) - {ADMIN})


@pytest.mark.parametrize(("method", "path", "need"), OPERATIONS)
def test_an_operation_lets_in_a_customer_if_it_says_so(shop: Shop, method: str, path: str, need: Need) -> None:
    ids = {"customer_id": "me"}
    if path == "/v1/events/{event_id}":
        status, posted = shop.app("POST", "/v1/activities", shop.bodies["post", "/v1/activities"])
        assert status == 202, posted
        ids["event_id"] = posted["status_url"].rpartition("/")[2] + "?wait_ms=5000"
    status, answer = shop.ask(shop.app, method, path, **ids)
    assert (status < 300) == need.customer, answer
    assert status < 300 or status == 403, answer


def test_a_token_of_a_key_that_may_not_read_customers_exports_nothing(shop: Shop) -> None:
    path = "/v1/customers/{customer_id}/export"
    assert shop.ask(shop.guarded_app, "get", path, customer_id="me")[0] == 403
    assert shop.ask(shop.app, "get", path, customer_id="me")[0] == 200


def test_the_document_says_the_same(platform: Platform) -> None:
    status, document = Caller(platform, platform.api_key)("GET", "/openapi.json")
    assert status == 200
    shown = {
        (method, path): operation["security"]
        for path, found in document["paths"].items()
        for method, operation in found.items()
    }
    assert shown == {place: need.security for place, need in NEEDS.items()}
