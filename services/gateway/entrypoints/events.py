"""GET /v1/events/{event_id}: what became of an event."""

from typing import Final
from uuid import UUID

import msgspec

from services.gateway.auth.credentials import Credentials
from services.gateway.forwarding.events import EventFinder
from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_READ, EVENTS_WRITE
from shared.errors import InvalidError, NotFoundError
from shared.http.errors import PlacedFault
from shared.http.hot import HotHandler, HotRequest, HotResponse, one
from shared.observability.context import EVENT_ID, TENANT

WAIT_MAX_MS: Final = 10_000


class EventRoutes:
    """The handler, with what it needs."""

    def __init__(self, credentials: Credentials, finder: EventFinder) -> None:
        self._credentials, self._finder = credentials, finder

    def routes(self) -> dict[tuple[str, str], HotHandler]:
        """By method and path."""
        return {("GET", "/v1/events/{event_id}"): self._show}

    async def _show(self, request: HotRequest) -> HotResponse:
        session = await self._credentials.session(request.headers.get(b"authorization"))
        _allow(session.principal)
        TENANT.set(session.principal.tenant)
        session.bucket.take(1)
        event_id = _uuid(request.params["event_id"])
        EVENT_ID.set(str(event_id))
        found = await self._finder.find(event_id, session.bearer(), request.correlation_id, _wait_s(request))
        return HotResponse(200, msgspec.json.encode(found))


def _allow(principal: Principal) -> None:
    """Who may post events or read customers may know what became of them."""
    if not principal.may(CUSTOMERS_READ):
        principal.require(EVENTS_WRITE)


def _uuid(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text.lower():
        raise NotFoundError("There is no such event.", code="event_not_found")
    return found


def _wait_s(request: HotRequest) -> float:
    text = str(one(request.query, "wait_ms", "0"))
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) <= WAIT_MAX_MS):
        fault = PlacedFault("/wait_ms", "range", f"Must be 0 to {WAIT_MAX_MS} milliseconds.", text)
        raise InvalidError("The query is not acceptable.", faults=[fault])
    return int(text) / 1000
