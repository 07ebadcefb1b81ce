"""Which handler answers a path."""

import pytest

from shared.errors import InvalidError, NotFoundError
from shared.http.errors import MethodNotAllowedError
from shared.http.hot import HotRequest, HotResponse, one, parse_query
from shared.http.routing import Table, hot_routes


async def handler(_: HotRequest) -> HotResponse:
    return HotResponse(204)


TABLE = Table(
    hot_routes(
        dict.fromkeys(
            [
                ("GET", "/v1/customers/{customer_id}/balance"),
                ("GET", "/v1/customers/{customer_id}"),
                ("PUT", "/v1/customers/{customer}"),
                ("GET", "/v1/customers/new"),
                ("POST", "/v1/purchases"),
                ("GET", "/v1/metrics/{rest:path}"),
                ("GET", "/v1/a.b"),
                ("POST", "/v1/redemptions/{redemption_id}/confirm"),
            ],
            handler,
        )
    )
)


@pytest.mark.parametrize(
    ("method", "path", "template", "params"),
    [
        ("POST", "/v1/purchases", "/v1/purchases", {}),
        ("GET", "/v1/customers/c-1/balance", "/v1/customers/{customer_id}/balance", {"customer_id": "c-1"}),
        ("GET", "/v1/customers/a:b c\n", "/v1/customers/{customer_id}", {"customer_id": "a:b c\n"}),
        ("PUT", "/v1/customers/c-1", "/v1/customers/{customer}", {"customer": "c-1"}),
        ("GET", "/v1/customers/new", "/v1/customers/new", {}),
        ("PUT", "/v1/customers/new", "/v1/customers/{customer}", {"customer": "new"}),
        ("GET", "/v1/metrics/a/b/c", "/v1/metrics/{rest:path}", {"rest": "a/b/c"}),
        ("POST", "/v1/redemptions/r/confirm", "/v1/redemptions/{redemption_id}/confirm", {"redemption_id": "r"}),
    ],
)
def test_a_path_finds_its_route(method: str, path: str, template: str, params: dict[str, str]) -> None:
    route, found = TABLE.find(method, path)
    assert route is not None
    assert (route.template, found) == (template, params)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/purchases", "OPTIONS, POST"),
        ("DELETE", "/v1/customers/new", "GET, HEAD, OPTIONS, PUT"),
        ("POST", "/v1/metrics/x", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/metrics/", None),
        ("GET", "/v1/axb", None),
        ("GET", "/v1/customers//balance", None),
        ("GET", "/v1/customers/a/b/balance", None),
        ("GET", "/v1/purchases/", None),
        ("GET", "", None),
    ],
)
def test_what_has_no_route_is_refused_for_the_right_reason(method: str, path: str, allowed: str | None) -> None:
    assert TABLE.find(method, path) == (None, {})
    refusal = TABLE.refusal(path)
    if allowed is None:
        assert isinstance(refusal, NotFoundError)
    else:
        assert isinstance(refusal, MethodNotAllowedError)
        assert refusal.headers() == [(b"allow", allowed.encode())]


def test_a_route_of_any_method_is_asked_last_and_promises_nothing() -> None:
    table = Table(
        hot_routes(dict.fromkeys([("*", "/v1/{rest:path}"), ("GET", "/v1/a"), ("PUT", "/v1/{name}")], handler))
    )
    found = [table.find(*asked)[0] for asked in (("PATCH", "/v1/a/b"), ("GET", "/v1/a"), ("PUT", "/v1/a"))]
    assert [route.template for route in found if route] == ["/v1/{rest:path}", "/v1/a", "/v1/{name}"]
    assert table.allowed("/v1/a") == "GET, HEAD, OPTIONS, PUT"
    assert table.allowed("/v1/a/b") == ""


def test_a_template_that_nobody_could_match_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="parameter"):
        Table(hot_routes({("GET", "/v1/{id:int}"): handler}))


def test_a_query_is_decoded_or_refused() -> None:
    query = parse_query(b"a=1&b=%C3%A4&a=2&empty=")
    assert query == {"a": ["1", "2"], "b": ["ä"], "empty": [""]}
    assert (one(query, "b"), one(query, "missing"), one(query, "missing", 7)) == ("ä", None, 7)
    with pytest.raises(InvalidError) as caught:
        one(query, "a")
    assert caught.value.faults[0].pointer == "/a"
    for raw in (b"a=%ff", b"a=\xff", b"a=" + b"x" * 5000, b"&".join(b"a=1" for _ in range(60))):
        with pytest.raises(InvalidError):
            parse_query(raw)
