"""`GET /v1/customers/{customer_id}/balance`: the read that every app makes all the time, on the hot path."""

from contextlib import nullcontext
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field

from services.points.adapters.arrivals import Arrivals
from services.points.adapters.balances import Balance, BalanceReader
from shared.auth.principal import Principal
from shared.auth.tokens import TokenVerifier
from shared.errors import InvalidError, NotFoundError
from shared.http.caller import hot_caller
from shared.http.errors import PlacedFault
from shared.http.etags import is_known
from shared.http.hot import HotRequest, HotResponse, one
from shared.http.waiting import AFTER_EVENT_WAIT_MS, WAIT_MAX_MS, Waits

PATH: Final = "/v1/customers/{customer_id}/balance"
_encode = msgspec.json.Encoder().encode


class Expiring(BaseModel):
    """Points that go on a day."""

    points: int
    on: str


class BalanceView(BaseModel):
    """A customer's points. `available` can be spent now, `pending` later; `held` is reserved; `debt` is what returns
    could not take back, and is paid from the next points. `lifetime_earned` is net of returns."""

    customer_id: str
    available: int = Field(ge=0)
    pending: int = Field(ge=0)
    held: int = Field(ge=0)
    debt: int = Field(ge=0)
    lifetime_earned: int
    tier: str | None
    expiring: list[Expiring]
    version: int = Field(description="Grows with every entry of the ledger.")
    after_event: Literal["applied", "rejected", "pending"] | None = Field(
        default=None, description="What is known of the event that was asked for; only then."
    )


class BalanceRoute:
    """Answers it."""

    def __init__(self, verifier: TokenVerifier, reader: BalanceReader, arrivals: Arrivals, waits: Waits) -> None:
        self._verifier, self._reader, self._arrivals, self._waits = verifier, reader, arrivals, waits

    async def __call__(self, request: HotRequest) -> HotResponse:
        caller = hot_caller(request, self._verifier)
        customer_id = storable(caller.customer_for(request.params["customer_id"]))
        seen = await self._seen(caller, request)
        balance = await self._reader.read(caller.tenant, customer_id)
        if balance is None:
            raise customer_not_found()
        # What is known of the event is part of the answer, and so of its validator.
        state = seen.get("after_event", "")
        tag = b'"%d.%d%b"' % (balance.version, balance.due, b"." + state.encode() if state else b"")
        headers = [(b"content-type", b"application/json"), (b"etag", tag)]
        # Who waits for an event is told in so many words that it has not come.
        if state != "pending" and is_known(request.header(b"if-none-match"), tag):
            return HotResponse(304, b"", headers[1:])
        return HotResponse(200, _encode(_shown(customer_id, balance) | seen), headers)

    async def _seen(self, caller: Principal, request: HotRequest) -> dict[str, str]:
        """Read your writes: wait for the event that the caller names."""
        query = request.query
        if not query:
            return {}
        wait_ms = _wait_ms(one(query, "wait_ms"))
        named = one(query, "after_event")
        if named is None:
            return {}
        event_id = _event_id(named)
        with self._waits.one(caller) if wait_ms else nullcontext():
            outcome = await self._arrivals.outcome(caller.tenant, event_id, wait_ms / 1000)
        return {"after_event": outcome or "pending"}


def customer_not_found() -> NotFoundError:
    """The same whether nobody has that id or somebody else's customer has it."""
    return NotFoundError("There is no such customer.", code="customer_not_found")


def storable(customer_id: str) -> str:
    """The same id, if the database can hold it at all: asked for another, it would refuse the whole query, and with it
    all who share it. Raises NotFoundError."""
    # Half a pair of surrogates is the other thing that is text here and not there.
    if "\0" in customer_id or any("\ud800" <= letter <= "\udfff" for letter in customer_id):
        raise customer_not_found()
    return customer_id


def described_balance() -> APIRouter:
    """The route as the OpenAPI document shows it."""
    router = APIRouter(tags=["points"])

    @router.get(PATH, summary="A customer's balance", responses={304: {"description": "It stands as you know it."}})
    async def balance(
        customer_id: str,
        after_event: Annotated[UUID | None, Query(description="Wait until this event has had its effect.")] = None,
        wait_ms: Annotated[int, Query(ge=0, le=WAIT_MAX_MS)] = AFTER_EVENT_WAIT_MS,
        if_none_match: Annotated[str | None, Header(description="The ETag that you know.")] = None,
    ) -> BalanceView:
        raise NotImplementedError

    return router


def _shown(customer_id: str, balance: Balance) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "available": balance.posted - balance.held + balance.due,
        "pending": balance.pending - balance.due,
        "held": balance.held,
        "debt": balance.debt,
        "lifetime_earned": balance.lifetime_earned,
        "tier": None,
        "expiring": [],
        "version": balance.version,
    }


def _wait_ms(text: str | None) -> int:
    if text is None:
        return AFTER_EVENT_WAIT_MS
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= WAIT_MAX_MS:
        return int(text)
    raise _fault("/wait_ms", f"Whole milliseconds, {WAIT_MAX_MS} at the most.", text)


def _event_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise _fault("/after_event", "The event_id that you were given when the event was accepted.", text) from error


def _fault(pointer: str, detail: str, value: str) -> InvalidError:
    return InvalidError("The query is not acceptable.", faults=[PlacedFault(pointer, "value", detail, value)])
