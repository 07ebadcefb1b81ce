"""The hot routes as the OpenAPI document shows them. Nothing here is ever called."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, Field, create_model

from services.gateway.forwarding.documents import ANSWERED_BY
from services.gateway.ingest.kinds import CUSTOMERS, EVENT_KINDS, Kind
from services.gateway.ingest.models import BATCH_MAX, ConsentStatement, Profile, Quote
from shared.http.body import JsonBody

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Names the event where the body has no `event_id`: a retry repeats it.",
    ),
]


class Accepted(BaseModel):
    """Kafka has the event. What becomes of it stands at `status_url`."""

    event_id: str
    status: Literal["accepted"]
    status_url: str


class BatchResult(BaseModel):
    """One item: its event id, or the problem with it."""

    index: int
    event_id: str | None = None
    status_url: str | None = Field(default=None, description="Only for a customer's token.")
    error: dict[str, Any] | None = Field(default=None, description="A problem (RFC 9457).")


class BatchAccepted(BaseModel):
    """Kafka has the good ones; one bad item never blocks the others."""

    accepted: int
    rejected: int
    results: list[BatchResult]


class EventBody(BaseModel):
    """What tells one body under an id from another."""

    type: str | None = None
    occurred_at: datetime | None = None
    received_at: datetime
    correlation_id: str | None = None
    customer_id: str | None = None
    order_id: str | None = None
    amount: str | None = None
    currency: str | None = None
    kind: str | None = None
    score: int | None = None


class EventConflict(EventBody):
    """The same id came again with another body, which was not applied. `disputed`: one service applied the one body,
    another service the other."""

    status: Literal["not_applied", "disputed"]
    not_applied_by: list[str]


class EventState(BaseModel):
    """What became of an event, everywhere."""

    event_id: str
    status: Literal["accepted", "partly_applied", "applied", "rejected"] = Field(
        description="`applied` when every service concerned has decided, `partly_applied` before."
    )
    reason: str | None = None
    event: EventBody | None = Field(default=None, description="The body that counts, where there are others.")
    effects: list[dict[str, Any]]
    conflicts: list[EventConflict]
    services: dict[str, dict[str, Any]]


_SINGLE_SUMMARIES = {
    "purchases": "Post a purchase",
    "returns": "Post a return",
    "cancellations": "Post a cancellation",
    "feedback": "Post a customer's feedback",
    "activities": "Post an activity",
}


def described_router() -> APIRouter:
    """The routes that are not FastAPI's."""
    router = APIRouter()
    for kind in EVENT_KINDS:
        _describe_single(router, kind)
    for kind in (*EVENT_KINDS, CUSTOMERS):
        _describe_batch(router, kind)
    _describe_customers(router)
    _describe_questions(router)
    return router


def _describe_single(router: APIRouter, kind: Kind) -> None:
    async def post(
        body: Annotated[Any, Depends(JsonBody(kind.model))], idempotency_key: IdempotencyKey = None
    ) -> None: ...

    router.add_api_route(
        f"/v1/{kind.name}",
        post,
        methods=["POST"],
        status_code=202,
        response_model=Accepted,
        summary=_SINGLE_SUMMARIES[kind.name],
        description=kind.model.__doc__,
        tags=["events"],
        operation_id=f"post_{kind.name}",
    )


def _describe_batch(router: APIRouter, kind: Kind) -> None:
    items = Annotated[list[kind.model], Field(min_length=1, max_length=BATCH_MAX)]  # type: ignore[name-defined]
    batch: type[BaseModel] = create_model(f"{kind.model.__name__}Batch", **{kind.name: (items, ...)})  # type: ignore[call-overload]

    async def post(body: Annotated[Any, Depends(JsonBody(batch))], idempotency_key: IdempotencyKey = None) -> None: ...

    router.add_api_route(
        f"/v1/{kind.name}/batch",
        post,
        methods=["POST"],
        status_code=202,
        response_model=BatchAccepted,
        summary=f"Post up to {BATCH_MAX} {kind.name}",
        description="Each item stands for itself. Without `event_id`, `Idempotency-Key/index` names an item's event.",
        tags=["customers" if kind is CUSTOMERS else "events"],
        operation_id=f"post_{kind.name}_batch",
    )


def _describe_customers(router: APIRouter) -> None:
    @router.put(
        "/v1/customers/{customer_id}", status_code=202, tags=["customers"], operation_id="put_customer",
        summary="Replace a customer's profile",
    )  # fmt: skip
    async def put(customer_id: str, body: Annotated[Any, Depends(JsonBody(Profile))]) -> Accepted:
        """The whole profile as it was at `occurred_at`; an older one changes nothing. Putting it again is harmless.

        `consents` are the shop's word. It never takes back what the customer withdrew in person: only their own later
        word does (`POST .../consents` with a customer's token). An id that was erased takes no profile: 409
        `customer_erased`, or, where that is known too late, `rejected` at `status_url`; unless `rejoin` is true."""
        raise NotImplementedError

    @router.delete(
        "/v1/customers/{customer_id}", status_code=202, tags=["customers"], operation_id="erase_customer",
        summary="Erase a customer",
    )  # fmt: skip
    async def erase(customer_id: str) -> Accepted:
        """Personal data goes from every service; figures and the ledger stay under a pseudonym that no read gives out.
        The receipt at `status_url` lists for each service what was erased and what is kept, and `not_reached`: where
        the data still is, above all the log.

        The id is nobody's until a profile says `rejoin`, and then somebody new. A purchase under it is a guest's.
        Withdrawals of consents hold for whoever comes with the same address."""
        raise NotImplementedError

    @router.get(
        "/v1/customers/{customer_id}/export", tags=["customers"], operation_id="export_customer",
        summary="All that is held about a customer",
    )  # fmt: skip
    async def export(customer_id: str) -> dict[str, Any]:
        """By service: balance and transactions; profile, consents with their history, and messages; orders with
        refunds, scores, and `events`: all purchases with lines, coupon codes and metadata, returns, feedback with
        comments and activities with properties, as they were received (money in minor units)."""
        raise NotImplementedError

    @router.post(
        "/v1/customers/{customer_id}/consents", status_code=202, tags=["customers"], operation_id="state_consent",
        summary="Give or withdraw a consent",
    )  # fmt: skip
    async def state(
        customer_id: str,
        body: Annotated[Any, Depends(JsonBody(ConsentStatement))],
        idempotency_key: IdempotencyKey = None,
    ) -> Accepted:
        """With a key it is the shop's word; with a customer's token the person's own, for themselves alone (`me`). What
        somebody withdrew in person only they give back."""
        raise NotImplementedError


def _describe_questions(router: APIRouter) -> None:
    @router.post(
        "/v1/quotes", tags=["programme"], operation_id="post_quote", summary="What a purchase would earn",
        openapi_extra={ANSWERED_BY: "points"},
    )  # fmt: skip
    async def quote(body: Annotated[Any, Depends(JsonBody(Quote))]) -> dict[str, Any]:
        """And why not more. Takes what a purchase takes, and refuses what it refuses; nothing is stored. A customer's
        token asks for that customer."""
        raise NotImplementedError

    @router.get("/v1/events/{event_id}", tags=["events"], operation_id="get_event", summary="What became of an event")
    async def event(event_id: str, wait_ms: Annotated[int, Field(ge=0, le=10_000)] = 0) -> EventState:
        """A shop's key asks for any event of the shop; a customer's token needs the `status_url` that it was given.
        404 `event_not_found` while no service has seen it; `wait_ms` waits until it is decided everywhere."""
        raise NotImplementedError
