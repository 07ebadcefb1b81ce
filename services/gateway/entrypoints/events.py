"""GET /v1/events/{event_id}: what became of an event."""

from contextlib import nullcontext
from typing import Final
from uuid import UUID

import msgspec

from services.gateway.auth.credentials import Credentials
from services.gateway.auth.receipts import Receipts
from services.gateway.auth.session import Session
from services.gateway.forwarding.events import EventFinder
from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_READ, CUSTOMERS_WRITE, EVENTS_WRITE
from shared.auth.tokens import TokenSigner
from shared.errors import InvalidError, NotFoundError
from shared.http.errors import PlacedFault
from shared.http.hot import HotHandler, HotRequest, HotResponse, one
from shared.http.waiting import WAIT_MAX_MS, Waits
from shared.observability.context import EVENT_ID, TENANT

_BEARER_TTL_S: Final = 60.0


class EventRoutes:
    """The handler, with what it needs."""

    def __init__(
        self, credentials: Credentials, finder: EventFinder, receipts: Receipts, signer: TokenSigner, waits: Waits
    ) -> None:
        self._credentials, self._finder, self._waits = credentials, finder, waits
        self._receipts, self._signer = receipts, signer

    def routes(self) -> dict[tuple[str, str], HotHandler]:
        """By method and path."""
        return {("GET", "/v1/events/{event_id}"): self._show}

    async def _show(self, request: HotRequest) -> HotResponse:
        session = await self._credentials.session(request.headers.get(b"authorization"))
        principal = session.principal
        TENANT.set(principal.tenant)
        session.bucket.take(1)
        event_id = self._event_id(principal, request.params["event_id"])
        EVENT_ID.set(str(event_id))
        wait_s = _wait_s(request)
        with self._waits.one(principal) if wait_s else nullcontext():
            found = await self._finder.find(event_id, self._bearer(session), request.correlation_id, wait_s)
        return HotResponse(200, msgspec.json.encode(found))

    def _event_id(self, principal: Principal, text: str) -> UUID:
        """The event that the caller may ask for: a key of the shop that may post or read, or a customer with the
        receipt of an event of their own."""
        name, _, receipt = text.partition(".")
        if principal.customer is None:
            principal.require_any(EVENTS_WRITE, CUSTOMERS_WRITE, CUSTOMERS_READ)
        elif not self._receipts.opens(principal, name, receipt):
            raise _not_found()
        return _uuid(name if principal.customer is not None else text)

    def _bearer(self, session: Session) -> str:
        """What the services are asked with; they tell a customer nothing of events, for they do not know whose."""
        principal = session.principal
        if principal.customer is None:
            return session.bearer()
        asked_for = Principal(principal.tenant, frozenset({EVENTS_WRITE}), subject="gateway:receipt")
        return self._signer.sign(asked_for, _BEARER_TTL_S)


def _uuid(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text.lower():
        raise _not_found()
    return found


def _not_found() -> NotFoundError:
    return NotFoundError("There is no such event.", code="event_not_found")


def _wait_s(request: HotRequest) -> float:
    text = str(one(request.query, "wait_ms", "0"))
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) <= WAIT_MAX_MS):
        fault = PlacedFault("/wait_ms", "range", f"Must be 0 to {WAIT_MAX_MS} milliseconds.", text)
        raise InvalidError("The query is not acceptable.", faults=[fault])
    return int(text) / 1000
