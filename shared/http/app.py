"""`create_app()`: what every service's HTTP side has without asking for it.

One layer, pure ASGI, around hot handlers and FastAPI's router alike: it names the request (correlation id, trace),
bounds its headers, counts it, and turns every failure into a problem. There is no other middleware.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from time import perf_counter
from typing import Final
from urllib.parse import unquote

from fastapi import APIRouter, FastAPI
from starlette.types import Message, Receive, Scope, Send

from shared.auth.principal import Principal
from shared.auth.tokens import TokenVerifier
from shared.errors import MalformedError, UnavailableError
from shared.http.api import Lifespan, api_routes, create_api, described_queries, error_of
from shared.http.builtin import BUILTIN, OpenApiHook, builtin_routes
from shared.http.caller import Authenticate, credential_of
from shared.http.cors import Cors
from shared.http.errors import ClientGoneError, HeadersTooLargeError, MethodNotAllowedError
from shared.http.exchange import Exchange
from shared.http.health import Readiness, ReadinessCheck
from shared.http.hot import HotResponse, HotRoutes
from shared.http.problems import internal_problem, problem_response
from shared.http.queries import KnownQuery
from shared.http.routing import ANY, Route, Table, hot_routes
from shared.observability.logging import get_logger
from shared.observability.metrics import HTTP_REQUEST_SECONDS, HTTP_REQUESTS_IN_FLIGHT
from shared.observability.tracing import hand_on, note, span, tracing_on

HEADERS_MAX: Final = 64
HEADERS_MAX_BYTES: Final = 16_384
IN_FLIGHT_MAX: Final = 1000
_CLIENT_GONE: Final = 499
_NO_ROUTES: Final[HotRoutes] = {}
_log = get_logger(__name__)


def create_app(  # noqa: PLR0913 - each is something a service may say about itself, by name
    *,
    service: str,
    version: str,
    title: str,
    description: str = "",
    verifier: TokenVerifier | None = None,
    authenticate: Authenticate | None = None,
    checks: Sequence[ReadinessCheck] = (),
    routers: Sequence[APIRouter] = (),
    open_routers: Sequence[APIRouter] = (),
    hot: HotRoutes = _NO_ROUTES,
    described: Sequence[APIRouter] = (),
    openapi: OpenApiHook | None = None,
    lifespan: Lifespan | None = None,
    closed_below: str | None = None,
    cors: Cors | None = None,
) -> "Application":
    """A service's HTTP side: /livez, /readyz, /metrics, /openapi.json, /docs and the service's own routes.

    `routers`: every route needs a caller, by `verifier` (or `authenticate` where tokens are not all there is), checked
    before anything else of the request; `open_routers`: their routes see to it themselves. `hot`: raw handlers by
    (method, path template), which see to it themselves too; `described`: routers that are never called, to put hot
    routes into the OpenAPI document. `openapi`: a last hand on that document. `closed_below`: who asks for what is not
    there below this path needs a caller first, so that strangers learn nothing about what exists. `cors`: which pages
    may ask from a browser; none without it.
    """
    if authenticate is None and verifier is not None:
        authenticate = _by_token(verifier)
    api = create_api(
        routers, open_routers, authenticate, lifespan, title=title, version=version, description=description
    )
    readiness = Readiness(checks)
    own = builtin_routes(api, described, readiness, openapi)
    table = Table(chain(hot_routes(own), hot_routes(hot, described_queries(described)), api_routes(api)))
    return Application(service, api, table, readiness, authenticate, closed_below, cors)


_encoded_slash = re.compile(rb"%(2[fF]|5[cC])").sub
_is_host = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?").fullmatch


class Application:
    """A service's HTTP side, as an ASGI application. Made by create_app()."""

    def __init__(
        self,
        service: str,
        api: FastAPI,
        table: Table,
        readiness: Readiness,
        authenticate: Authenticate | None = None,
        closed_below: str | None = None,
        cors: Cors | None = None,
    ) -> None:
        self.service = service
        self.readiness = readiness
        self.api = api
        self._table = table
        self._authenticate = authenticate
        self._closed_below = closed_below
        self._cors = cors
        self._observers: dict[tuple[str, str, int], Callable[[float], None]] = {}
        self._in_flight = 0
        HTTP_REQUESTS_IN_FLIGHT.labels(service).set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.api(scope, receive, send)
            return
        started = perf_counter()
        self._in_flight += 1
        if b"%2" in scope["raw_path"] or b"%5" in scope["raw_path"]:
            scope = {**scope, "path": path_of(scope["raw_path"])}
        if scope["method"] == "HEAD":
            scope, send = as_get(scope, send)
        exchange = Exchange(scope, receive, send, *self._table.find(scope["method"], scope["path"]))
        if self._cors is not None:
            exchange.stamp(self._cors.stamp(scope, exchange.headers))
        try:
            if tracing_on():
                await self._traced(exchange)
            else:
                hand_on(exchange.traceparent)
                await self._guarded(exchange)
        finally:
            self._in_flight -= 1
            self._observe(exchange, perf_counter() - started)

    async def _traced(self, exchange: Exchange) -> None:
        with span(f"{exchange.scope['method']} {exchange.template}", exchange.traceparent):
            await self._guarded(exchange)
            note(http_route=exchange.template, http_response_status_code=exchange.status)

    async def _guarded(self, exchange: Exchange) -> None:
        try:
            await self._handle(exchange)
        except ClientGoneError:
            exchange.status = _CLIENT_GONE
        except Exception as error:
            if exchange.status:  # half an answer is out: only breaking the connection can tell
                raise
            await exchange.answer(*_rendered(error, exchange))

    async def _handle(self, exchange: Exchange) -> None:
        check_headers(exchange.headers, exchange.scope["headers"])
        if self._cors is not None and (allowed := self._cors.preflight(exchange.scope, exchange.headers)):
            await exchange.answer(204, allowed, b"")
        elif exchange.route is None:
            await self._unrouted(exchange)
        else:
            await self._routed(exchange, exchange.route)

    async def _routed(self, exchange: Exchange, route: Route) -> None:
        if self._in_flight > IN_FLIGHT_MAX and route.template not in BUILTIN:
            raise UnavailableError("Too many requests are under way.", code="overloaded")
        if route.query is not None and exchange.scope["query_string"]:
            await self._check_query(exchange, route.query)
        if route.hot is not None:
            response = await route.hot(exchange.hot_request())
            if route.method == ANY:
                response = self._with_own_methods(exchange.scope["path"], response)
            await exchange.answer(response.status, response.headers, response.body)
        elif route.app is not None:
            exchange.scope.update(app=self.api, path_params=exchange.params)
            await route.app(exchange.scope, exchange.receive, exchange.send)

    def _with_own_methods(self, path: str, response: HotResponse) -> HotResponse:
        """Who stands behind a path tells which methods it has, and does not know those that are answered here. Raises
        MethodNotAllowedError in their place."""
        theirs = dict(response.headers).get(b"allow")
        if theirs is None:
            return response
        allowed = self._table.allowed(path, theirs.decode("latin-1"))
        if response.status == MethodNotAllowedError.status:
            raise MethodNotAllowedError(allowed)
        others = [line for line in response.headers if line[0] != b"allow"]
        return HotResponse(response.status, response.body, [*others, (b"allow", allowed.encode())])

    async def _check_query(self, exchange: Exchange, known: KnownQuery) -> None:
        """Raises InvalidError for parameters that the route does not have."""
        refused = known.unknown(exchange.scope["query_string"])
        if refused is not None:
            if known.needs_caller:
                await self._require_caller(exchange)
            raise refused

    async def _require_caller(self, exchange: Exchange) -> None:
        if self._authenticate is not None:
            await self._authenticate(credential_of(exchange.headers.get(b"authorization")))

    async def _unrouted(self, exchange: Exchange) -> None:
        """Tell which methods there are, or why nothing answers."""
        path = exchange.scope["path"]
        if self._closed_below is not None and path.startswith(self._closed_below):
            await self._require_caller(exchange)
        allowed = self._table.allowed(path) if exchange.scope["method"] == "OPTIONS" else ""
        if not allowed:
            raise self._table.refusal(path)
        await exchange.answer(204, [(b"allow", allowed.encode())], b"")

    def _observe(self, exchange: Exchange, seconds: float) -> None:
        key = (exchange.template, exchange.scope["method"], exchange.status)
        if key not in self._observers:
            self._observers[key] = HTTP_REQUEST_SECONDS.labels(self.service, *key).observe
        self._observers[key](seconds)


def _rendered(error: Exception, exchange: Exchange) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    known = error_of(error)
    if known is not None:
        return problem_response(known, exchange.correlation_id)
    _log.error("request_failed", route=exchange.template, method=exchange.scope["method"], exc_info=error)
    return internal_problem(exchange.correlation_id)


def as_get(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """A HEAD as the GET that it asks about, whose answer loses its body on the way out."""

    async def without_body(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return {**scope, "method": "GET"}, without_body


def path_of(raw_path: bytes) -> str:
    """The path as it is routed: an encoded slash or backslash is a character of an id, and parts nothing."""
    return unquote(_encoded_slash(rb"%25\1", raw_path).decode("ascii"), errors="replace")


def check_headers(headers: Mapping[bytes, bytes], lines: Sequence[tuple[bytes, bytes]]) -> None:
    """Raises HeadersTooLargeError for more, or longer ones, than an honest client sends; MalformedError for two hosts,
    or one that is none: two servers on the way could understand two different ones."""
    if len(lines) > HEADERS_MAX or sum(map(len, headers.values())) > HEADERS_MAX_BYTES:
        raise HeadersTooLargeError(f"The headers exceed {HEADERS_MAX} lines or {HEADERS_MAX_BYTES} bytes.")
    if len(lines) != len(headers) and sum(name == b"host" for name, _ in lines) > 1:
        raise MalformedError("There is more than one Host header.")
    host = headers.get(b"host")
    if host is not None and not _is_host(host):
        raise MalformedError("The Host header is no host name, optionally with a port.")


def _by_token(verifier: TokenVerifier) -> Authenticate:
    async def authenticate(credential: str) -> Principal:
        return verifier.verify(credential)

    return authenticate
