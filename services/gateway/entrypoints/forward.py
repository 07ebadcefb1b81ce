"""Questions that a service answers: passed on as they came, and back as they are."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from typing import Final

import msgspec

from services.gateway.auth.credentials import Credentials
from services.gateway.auth.session import Session
from services.gateway.forwarding.headers import inward, outward
from services.gateway.forwarding.owners import forwarded, methods_of
from services.gateway.forwarding.upstream import Question, Reply, Service, Upstreams
from services.gateway.ingest.quotes import Quotes
from services.gateway.tenants.directory import TenantDirectory
from services.gateway.tenants.tenant import Tenant
from shared.errors import ForbiddenError, NotFoundError, UnavailableError
from shared.http.hot import HotHandler, HotRequest, HotResponse
from shared.http.routing import Route, Table
from shared.http.waiting import AFTER_EVENT_WAIT_MS, WAIT_MAX_MS, Waits
from shared.observability.context import TENANT
from shared.observability.logging import get_logger

_log = get_logger(__name__)
PROGRAMME: Final = "/v1/programme"
QUOTES: Final = "/v1/quotes"
_wait_ms = re.compile(rb"(?:^|&)wait_ms=([0-9]{1,6})(?:&|$)").search
_after_event = re.compile(rb"(?:^|&)after_event=").search


class _Programme(msgspec.Struct):
    """What the gateway reads of a programme that it passes back."""

    currency: str
    time_zone: str
    locale: str
    version: int


class ForwardRoutes:
    """The handlers, with what they need."""

    def __init__(
        self,
        credentials: Credentials,
        tenants: TenantDirectory,
        quotes: Quotes,
        upstreams: Upstreams,
        waits: Waits,
        timeout_s: float,
    ) -> None:
        self._credentials, self._tenants, self._quotes = credentials, tenants, quotes
        self._upstreams, self._waits, self._timeout_s = upstreams, waits, timeout_s

    def routes(self) -> dict[tuple[str, str], HotHandler]:
        """By method and path."""
        made = {service: self._forward(service) for _, service in forwarded()}
        found = {
            (method, template): made[service] for template, service in forwarded() for method in methods_of(template)
        }
        found["PUT", PROGRAMME] = self._put_programme
        found["POST", QUOTES] = self._post_quote
        return found

    def _forward(self, service: Service) -> HotHandler:
        async def handle(request: HotRequest) -> HotResponse:
            return _passed_on(await self._ask(request, await self._session(request), service))

        return handle

    async def _put_programme(self, request: HotRequest) -> HotResponse:
        """A new version of the programme: the caller's next event shall already carry it."""
        session = await self._session(request)
        reply = await self._ask(request, session, "points")
        if reply.status < 300:
            self._note_programme(session.principal.tenant, reply.body)
        return _passed_on(reply)

    async def _post_quote(self, request: HotRequest) -> HotResponse:
        """What a purchase would earn: it is read here, as purchases are."""
        session = await self._session(request)
        purchase = await self._quotes.read(session, await request.body())
        return _passed_on(await self._ask(request, session, "points", purchase))

    def _note_programme(self, tenant: str, body: bytes) -> None:
        try:
            found = msgspec.json.decode(body, type=_Programme)
        except msgspec.MsgspecError:
            _log.warning("programme_not_read")
            return
        self._tenants.note_programme(Tenant(tenant, found.currency, found.time_zone, found.locale, found.version))

    async def _session(self, request: HotRequest) -> Session:
        session = await self._credentials.session(request.headers.get(b"authorization"))
        if not session.principal.tenant:
            raise ForbiddenError("The operator's key speaks for no tenant.")
        TENANT.set(session.principal.tenant)
        return session

    async def _ask(self, request: HotRequest, session: Session, service: Service, body: bytes | None = None) -> Reply:
        """`body` in place of the request's own, where that was read already."""
        session.bucket.take(1)
        if _climbs(request.path):
            raise NotFoundError("There is nothing at this path.", code="no_such_path")
        query: bytes = request.scope["query_string"]
        path: bytes = request.scope["raw_path"]
        wait_s = _asked_to_wait_s(query) if query else 0.0
        if body is None:
            body = await request.body(content_type=None) if _has_body(request) else b""
        question = Question(
            method=request.method,
            target=path + b"?" + query if query else path,
            headers=inward(request.headers, session.bearer(), request.correlation_id),
            body=body,
            timeout_s=self._timeout_s + wait_s,
            waits=wait_s > 0,
        )
        with self._waits.one(session.principal) if wait_s else nullcontext():
            reply = await self._upstreams[service].ask(question)
        if reply.status == 401 or (
            reply.status >= 500 and b"problem+json" not in reply.headers.get(b"content-type", b"")
        ):
            # It does not believe our token, or fell over: in both cases that is our affair and not the caller's.
            _log.error("service_failed", upstream=service, status=reply.status)
            raise UnavailableError(
                f"The {service} service cannot answer now; repeating the same request is safe.",
                code="service_unavailable", retry_after_s=2.0, service=service,
            )  # fmt: skip
        return reply


def owner_finder() -> Callable[[str, str], bool]:
    """Tells whether (method, path) is forwarded to anybody."""
    table = Table(Route(method, template) for template, _ in forwarded() for method in methods_of(template))
    return lambda method, path: table.find(method, path)[0] is not None


def _climbs(path: str) -> bool:
    """Whether a client library on the way might take the path for another one."""
    return "/." in path and any(part in (".", "..") for part in path.split("/"))


def _has_body(request: HotRequest) -> bool:
    length = request.headers.get(b"content-length", b"0")
    return length != b"0" or b"transfer-encoding" in request.headers


def _asked_to_wait_s(query: bytes) -> float:
    """How long the service may let the caller wait, by the parameters that mean the same everywhere."""
    found = _wait_ms(query)
    if found is None:
        return AFTER_EVENT_WAIT_MS / 1000 if _after_event(query) else 0.0
    return min(int(found[1]), WAIT_MAX_MS) / 1000


def _passed_on(reply: Reply) -> HotResponse:
    return HotResponse(reply.status, reply.body, outward(reply.headers))
