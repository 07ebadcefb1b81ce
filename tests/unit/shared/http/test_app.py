"""What every service answers, hot and cold alike."""

import json
from typing import Any

import pytest
import structlog
from fastapi import APIRouter
from httpx import ASGITransport, AsyncClient, Headers, Response
from prometheus_client import REGISTRY

from shared.http.app import Application, create_app
from shared.http.hot import HotRequest, HotResponse
from tests.unit.shared.http.conftest import ADA, HOT, SHOP, VERIFIER, Quote, bearer, router


def problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["code"] == code
    assert found["type"] == f"urn:treue:problem:{code}"
    assert found["title"]
    assert found["correlation_id"] == answer.headers["x-correlation-id"]
    return found


async def test_a_cold_and_a_hot_route_answer(client: AsyncClient) -> None:
    cold = await client.get("/v1/customers/bob/messages?limit=2", headers=bearer())
    assert cold.json()["items"] == ["bob"]
    hot = await client.get("/v1/customers/me/balance", headers=bearer(ADA))
    assert (hot.status_code, hot.text, hot.headers["etag"]) == (200, "ada", '"7"')


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/quotes"),
        ("GET", "/v1/customers/bob/messages?limit=-1"),
        ("GET", "/v1/customers/bob/balance"),
        ("GET", "/v1/broken"),
    ],
)
@pytest.mark.parametrize(
    "credential", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer x.y.z", "Bearer " + "x" * 10_000, "Bearer é"]
)
async def test_a_stranger_hears_that_first_and_nothing_else(
    client: AsyncClient, method: str, path: str, credential: str | None
) -> None:
    headers = {} if credential is None else {b"authorization": credential.encode("latin-1")}
    answer = await client.request(method, path, headers=headers, content=b"no json" if method == "POST" else None)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_another_customer_does_not_exist(client: AsyncClient) -> None:
    for path in ("/v1/customers/bob/balance", "/v1/customers/bob/messages"):
        problem(await client.get(path, headers=bearer(ADA)), 404, "customer_not_found")


async def test_all_faults_of_a_body_are_named_at_once(client: AsyncClient) -> None:
    body = {"total": "1.0", "lines": [{"sku": 3}, {"sku": "s", "quantity": 0}], "tenant": "x"}
    found = problem(await client.post("/v1/quotes", json=body, headers=bearer()), 422, "invalid")
    assert {error["pointer"]: (error["rule"], error.get("value")) for error in found["errors"]} == {
        "/total": ("pattern", "1.0"),
        "/lines/0/sku": ("type", 3),
        "/lines/0/quantity": ("required", None),
        "/lines/1/quantity": ("range", 0),
        "/tenant": ("unknown", "x"),
    }
    assert all(error["detail"] and "in" not in error for error in found["errors"])
    said = {error["pointer"]: error["detail"] for error in found["errors"]}
    assert said["/tenant"] == "This is not known here."
    assert said["/lines/0/quantity"] == "This must be there."
    assert said["/lines/0/sku"] == "Must be a valid string."


async def test_faults_of_a_query_are_named_too(client: AsyncClient) -> None:
    path = "/v1/customers/bob/messages"
    found = problem(await client.get(path, params={"limit": "x"}, headers=bearer()), 422, "invalid")
    assert [(error["pointer"], error["in"]) for error in found["errors"]] == [("/limit", "query")]
    for bad in ("limit=-1", "limit=1000000", "cursor=%00%ff", "cursor=" + "a" * 600):
        found = problem(await client.get(f"{path}?{bad}", headers=bearer()), 422, "invalid")
        assert [error["in"] for error in found["errors"]] == ["query"]


@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/purchases"])
async def test_wrong_methods_and_paths_are_problems(client: AsyncClient, path: str) -> None:
    answer = await client.patch(path, content=b"{}")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"
    for nowhere in ("/v1/nothing/here", path + "/", "/", "//", "/v1/customers//balance"):
        problem(await client.get(nowhere), 404, "no_such_path")


@pytest.mark.parametrize("path", ["/livez", "/docs", "/v1/customers/bob/balance", "/v1/customers/bob/messages"])
async def test_head_is_get_without_a_body(app: Application, path: str) -> None:
    bodies: dict[str, bytes] = {}

    async def asked(method: str) -> dict[str, Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        headers = [(name.encode(), value.encode()) for name, value in bearer().items()]
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [*headers, (b"x-correlation-id", b"c")], "scheme": "http",
            "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await app(scope, receive, send)
        bodies[method] = b"".join(message.get("body", b"") for message in sent[1:])
        assert scope["method"] == method
        head: dict[str, Any] = sent[0]
        return head

    got, headed = await asked("GET"), await asked("HEAD")
    assert headed == got
    assert (b"content-length", b"%d" % len(bodies["GET"])) in headed["headers"]
    assert bodies["GET"]
    assert bodies["HEAD"] == b""


async def test_head_of_what_has_no_get_is_refused(client: AsyncClient) -> None:
    refused = await client.head("/v1/purchases")
    assert (refused.status_code, refused.headers["allow"], refused.content) == (405, "OPTIONS, POST", b"")
    assert (await client.head("/v1/nothing")).status_code == 404


async def test_options_tell_what_there_is(client: AsyncClient) -> None:
    for path, allowed in (("/v1/quotes", "OPTIONS, POST"), ("/livez", "GET, HEAD, OPTIONS")):
        told = await client.options(path)
        assert (told.status_code, told.headers["allow"], told.content) == (204, allowed, b"")
    problem(await client.options("/v1/nothing"), 404, "no_such_path")
    problem(await client.request("TRACE", "/livez"), 405, "method_not_allowed")


async def test_below_a_closed_path_strangers_learn_nothing() -> None:
    app = create_app(
        service="test", version="1", title="Test", verifier=VERIFIER, routers=[router()], closed_below="/v1/"
    )
    async with AsyncClient(transport=ASGITransport(app), base_url="http://treue.test") as client:
        for method in ("GET", "OPTIONS", "DELETE"):
            problem(await client.request(method, "/v1/quotes"), 401, "unauthenticated")
        assert (await client.options("/v1/quotes", headers=bearer())).headers["allow"] == "OPTIONS, POST"
        problem(await client.get("/v1/nothing", headers=bearer()), 404, "no_such_path")
        assert "/docs" in problem(await client.get("/"), 404, "no_such_path")["detail"]


async def test_bodies_are_bounded_and_of_the_right_type(client: AsyncClient) -> None:
    kinds = {"content-type": "application/json"}
    problem(await client.post("/v1/quotes", content=b"x" * 3_000_000, headers=bearer() | kinds), 413, "too_large")
    problem(await client.post("/v1/purchases", content=b"x" * 1001, headers=kinds), 413, "too_large")
    assert (await client.post("/v1/purchases", content=b"x" * 1000, headers=kinds)).status_code == 202
    for path in ("/v1/quotes", "/v1/purchases"):
        for kind in ("text/xml", "application/xml", "", "application/json2", "application/jso"):
            answer = await client.post(path, content=b"{}", headers=bearer() | {"content-type": kind})
            problem(answer, 415, "unsupported_media_type")
        squeezed = bearer() | kinds | {"content-encoding": "gzip"}
        problem(await client.post(path, content=b"{}", headers=squeezed), 415, "unsupported_media_type")
    fine = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await client.post("/v1/purchases", content=b"{}", headers=fine)).status_code == 202


async def test_a_body_that_is_no_json_is_malformed(client: AsyncClient) -> None:
    headers = bearer() | {"content-type": "application/json"}
    for raw in (b"", b"{", b'{"total":"1.00","total":"2.00","lines":[]}', b'{"total":NaN}', b"[" * 100_000):
        problem(await client.post("/v1/quotes", content=raw, headers=headers), 400, "malformed")
    problem(await client.post("/v1/quotes", content=b"[]", headers=headers), 422, "invalid")


async def test_too_many_headers_are_refused(client: AsyncClient) -> None:
    many = {f"x-{n}": "1" for n in range(70)}
    problem(await client.get("/v1/quotes", headers=many), 431, "headers_too_large")
    problem(await client.get("/livez", headers={"x": "y" * 17_000}), 431, "headers_too_large")


@pytest.mark.parametrize("path", ["/v1/broken", "/v1/hot-broken"])
async def test_a_failure_of_ours_tells_nothing_but_where_to_look(client: AsyncClient, path: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await client.get(path, headers=bearer())
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert [(line["event"], line["route"]) for line in logs] == [("request_failed", path)]
    assert isinstance(logs[0]["exc_info"], RuntimeError)


async def test_an_error_says_more_but_nothing_false(client: AsyncClient) -> None:
    found = problem(await client.get("/v1/conflict", headers=bearer()), 409, "insufficient_points")
    assert found["available"] == 3


async def test_a_correlation_id_is_kept_if_it_is_one(client: AsyncClient) -> None:
    answer = await client.get("/livez", headers={"x-correlation-id": "till-7:2026"})
    assert answer.headers["x-correlation-id"] == "till-7:2026"
    made = set()
    for bad in ("", "a b", "x" * 129, 'x"', "x\ty"):
        answer = await client.get("/livez", headers={"x-correlation-id": bad})
        assert answer.headers["x-correlation-id"] != bad
        made.add(answer.headers["x-correlation-id"])
    assert len(made) == 5


def count(**labels: str) -> float:
    return REGISTRY.get_sample_value("treue_http_request_seconds_count", labels) or 0.0


async def test_requests_are_counted_by_template_and_never_by_path(client: AsyncClient) -> None:
    hot = {"service": "test", "method": "GET", "route": "/v1/customers/{customer_id}/balance", "status": "200"}
    cold = hot | {"route": "/v1/customers/{customer_id}/messages"}
    lost = hot | {"route": "unmatched", "status": "404"}
    before = [count(**labels) for labels in (hot, cold, lost)]
    await client.get("/v1/customers/very-private/balance", headers=bearer())
    await client.get("/v1/customers/very-private/messages", headers=bearer())
    await client.get("/very-private", headers=bearer())
    assert [count(**labels) for labels in (hot, cold, lost)] == [one + 1 for one in before]
    text = (await client.get("/metrics")).text
    assert "very-private" not in text
    assert "treue_http_requests_in_flight" in text


async def test_too_many_at_once_are_refused_but_health_still_answers(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.app.IN_FLIGHT_MAX", 0)
    answer = await client.get("/v1/customers/bob/balance", headers=bearer())
    problem(answer, 503, "overloaded")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await client.get("/livez")).status_code == 200


def test_a_route_that_reads_its_body_by_fastapi_is_refused_at_the_start() -> None:
    careless = APIRouter()

    @careless.post("/v1/careless")
    async def careless_route(body: Quote) -> None: ...

    with pytest.raises(ValueError, match="json_body"):
        create_app(service="test", version="1", title="Test", verifier=VERIFIER, routers=[careless])


def test_routes_that_need_a_caller_need_a_verifier() -> None:
    with pytest.raises(ValueError, match="open_routers"):
        create_app(service="test", version="1", title="Test", routers=[router()])


async def test_a_route_without_a_caller_parameter_still_needs_one() -> None:
    forgetful, public = APIRouter(), APIRouter()

    @forgetful.get("/v1/forgetful")
    async def forgetful_route() -> None: ...

    @public.get("/v1/public")
    async def public_route() -> None: ...

    outer = APIRouter(prefix="/outer")
    outer.include_router(forgetful)
    app = create_app(
        service="test", version="1", title="Test", verifier=VERIFIER, routers=[forgetful, outer], open_routers=[public]
    )
    async with AsyncClient(transport=ASGITransport(app), base_url="http://treue.test") as client:
        for path in ("/v1/forgetful", "/outer/v1/forgetful"):
            problem(await client.get(path), 401, "unauthenticated")
            assert (await client.get(path, headers=bearer())).status_code == 200
        assert (await client.get("/v1/public")).status_code == 200


async def test_a_service_s_own_way_to_authenticate_goes_before_tokens() -> None:
    async def authenticate(credential: str) -> Any:
        return SHOP if credential == "key" else VERIFIER.verify(credential)

    app = create_app(service="test", version="1", title="Test", authenticate=authenticate, routers=[router()])
    async with AsyncClient(transport=ASGITransport(app), base_url="http://treue.test") as client:
        path = "/v1/customers/bob/messages"
        assert (await client.get(path, headers={"authorization": "bearer key"})).status_code == 200
        problem(await client.get(path, headers={"authorization": "bearer other"}), 401, "unauthenticated")


async def test_the_document_describes_hot_and_cold_routes() -> None:
    described = APIRouter()

    @described.post("/v1/purchases", status_code=202)
    async def purchase(body: Quote) -> Quote:
        """Take a purchase in."""
        raise AssertionError("describes only")

    async def last_hand(document: dict[str, Any]) -> dict[str, Any]:
        return document | {"x-merged": True}

    app = create_app(
        service="test", version="1", title="Test", verifier=VERIFIER, routers=[router()], hot=HOT,
        described=[described], openapi=last_hand,
    )  # fmt: skip
    async with AsyncClient(transport=ASGITransport(app), base_url="http://treue.test") as client:
        document = (await client.get("/openapi.json")).json()
        page = await client.get("/docs")
        kinds = {"content-type": "application/json"}
        assert (await client.post("/v1/purchases", content=b"{}", headers=kinds)).json() == 2
    assert document["openapi"].startswith("3.1")
    assert document["x-merged"]
    assert document["paths"]["/v1/purchases"]["post"]["description"] == "Take a purchase in."
    quote = document["paths"]["/v1/quotes"]["post"]
    assert quote["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Quote"}
    assert quote["security"] == [{"bearer": []}]
    assert quote["responses"]["default"]["content"]["application/problem+json"]
    assert list(quote["responses"]) == ["201", "401", "403", "413", "415", "422", "503", "default"]
    assert quote["responses"]["422"] == {"$ref": "#/components/responses/Invalid"}
    for method, path, statuses in (
        ("get", "/v1/customers/{customer_id}/messages", {"401", "403", "404", "422", "503"}),
        ("get", "/v1/broken", {"401", "403", "422", "503"}),
    ):
        assert set(document["paths"][path][method]["responses"]) == {"200", "default"} | statuses
    away = document["components"]["responses"]["Unavailable"]
    assert away["headers"]["Retry-After"]["required"]
    problem_shown = away["content"]["application/problem+json"]
    assert problem_shown["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert problem_shown["examples"]["typical"]["value"]["status"] == 503
    assert {"Problem", "Fault", "Quote", "Line"} <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in json.dumps(document)
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/customers/{customer_id}/messages" in page.text


async def test_a_request_does_not_inherit_what_the_one_before_it_was_about(app: Application) -> None:
    from shared.observability.context import EVENT_ID, TENANT

    seen: list[tuple[str, str]] = []

    async def look(_: HotRequest) -> HotResponse:
        seen.append((TENANT.get(), EVENT_ID.get()))
        TENANT.set("demo")
        EVENT_ID.set("e-1")
        return HotResponse(204)

    app = create_app(service="test", version="1", title="Test", hot={("GET", "/look"): look})
    async with AsyncClient(transport=ASGITransport(app), base_url="http://treue.test") as client:
        for _ in range(2):  # in one task, so in one context, as pipelined requests of one connection are
            assert (await client.get("/look")).status_code == 204
    assert seen == [("", ""), ("", "")]


def one_app() -> Application:
    async def show(request: HotRequest) -> HotResponse:
        return HotResponse(200, request.params["name"].encode())

    return create_app(
        service="one",
        version="1",
        title="One",
        hot={("GET", "/v1/things/{name}"): show, ("GET", "/things/{name}"): show},
    )


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/v1/things/a%2Fb", 200, "a%2Fb"),
        ("/v1/things/a%2fb", 200, "a%2fb"),
        ("/v1/things/a%5Cb", 200, "a%5Cb"),
        ("/v1%2Fthings/a", 404, None),
        ("/v1/things%2Fa", 404, None),
        ("/v1/things/%C3%BC", 200, "ü"),
        ("/v1/things/a%20b", 200, "a b"),
        ("/v1/things/a%252Fb", 200, "a%2Fb"),
    ],
)
async def test_an_encoded_slash_parts_nothing(path: str, status: int, name: str | None) -> None:
    async with AsyncClient(transport=ASGITransport(one_app()), base_url="http://test") as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert name is None or answer.text == name


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (["example.org"], 200), (["example.org:80"], 200), (["[::1]:80"], 200), (["127.0.0.1"], 200), ([""], 200),
        (["a", "b"], 400), (["a", "a"], 400), (["a/b"], 400), (["a b"], 400), (["a@b:c"], 400), (["a:b"], 400),
        (["a,b/"], 400), (["\x01"], 400),
    ],
)  # fmt: skip
async def test_there_is_one_host_and_it_is_one(hosts: list[str], status: int) -> None:
    lines = [("host", host) for host in hosts]
    async with AsyncClient(transport=ASGITransport(one_app()), base_url="http://test") as client:
        request = client.build_request("GET", "/things/a")
        request.headers = Headers([(name, value) for name, value in request.headers.items() if name != "host"] + lines)
        assert (await client.send(request)).status_code == status


async def test_what_may_be_personal_is_stored_by_nobody() -> None:
    async with AsyncClient(transport=ASGITransport(one_app()), base_url="http://test") as client:
        for path in ("/v1/things/a", "/v1/nothing"):
            assert (await client.get(path)).headers.get_list("cache-control") == ["no-store"]
        assert "cache-control" not in (await client.get("/things/a")).headers
