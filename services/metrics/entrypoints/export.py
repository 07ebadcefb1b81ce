"""`GET /internal/customers/{customer_id}/export`: what metrics holds about one customer, for the gateway's export."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.adapters import held
from services.metrics.adapters.queries import programme_of
from services.metrics.adapters.records import RecordTable
from services.metrics.domain.feedback import Answer
from shared.db.transaction import Transaction, transaction
from shared.errors import NotFoundError
from shared.http.caller import Caller
from shared.http.pagination import LIMIT_DEFAULT, Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from shared.money import to_text

_FIRST: Final = (datetime.min.replace(tzinfo=UTC), held.FIRST_ID)


class RefundHeld(BaseModel):
    """Money given back; a refused one counts nowhere. `clamped` was cut off of it, as rounding."""

    event_id: UUID
    amount: str
    clamped: str
    occurred_at: datetime
    business_date: date
    refused: bool


class OrderHeld(BaseModel):
    """An order. Of one whose purchase has not come, only the cancellation is known."""

    order_id: str
    event_id: UUID | None
    occurred_at: datetime | None
    business_date: date | None
    total: str | None
    refunded: str
    cancelled: bool
    currency: str
    refunds: list[RefundHeld]


class AnswerHeld(BaseModel):
    """An answer to a survey."""

    event_id: UUID
    kind: str
    score: int
    occurred_at: datetime
    business_date: date
    order_id: str | None


class RecordHeld(BaseModel):
    """An event about the customer, as it was received; money is in minor units."""

    event_id: UUID
    type: str
    received_at: datetime
    data: dict[str, Any]


class RecordPage(Page[RecordHeld]):
    """Records, and since when there are any: of earlier events an earlier release kept no bodies."""

    kept_since: datetime | None


Part = Annotated[Literal["orders", "feedback", "events"], Query(description="Which of the lists.")]
_Held = Page[OrderHeld] | Page[AnswerHeld] | RecordPage


def export_router(engine: AsyncEngine) -> APIRouter:
    """Its route. A return that waits for an order which is unknown here is nobody's yet, and not in it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/customers/{customer_id}/export")
    async def export(
        customer_id: str, caller: Caller, part: Part, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> _Held:
        customer, after = caller.customer_for(customer_id), _position(cursor)
        async with transaction(engine) as tx:
            read = {"orders": _orders, "feedback": _answers, "events": _records}[part]
            found = await read(tx, caller.tenant, customer, after, limit)
        if not found.items and cursor is None:
            raise NotFoundError("Nothing of this kind is held here.", code="customer_not_found")
        return found

    return router


async def _orders(tx: Transaction, tenant: str, customer: str, after: str, limit: int) -> _Held:
    programme = await programme_of(tx, tenant)
    if programme is None:  # nothing is counted before it is here
        return Page[OrderHeld](items=[])
    found = await held.orders(tx, tenant, customer, after, limit + 1)
    items = [_order(one, programme.currency) for one in found[:limit]]
    return Page[OrderHeld](items=items, next=_next(items[-1].order_id) if len(found) > limit else None)


async def _answers(tx: Transaction, tenant: str, customer: str, after: str, limit: int) -> _Held:
    found = await held.answers(tx, tenant, customer, _id(after), limit + 1)
    items = [_answer(one) for one in found[:limit]]
    return Page[AnswerHeld](items=items, next=_next(str(items[-1].event_id)) if len(found) > limit else None)


async def _records(tx: Transaction, tenant: str, customer: str, after: str, limit: int) -> _Held:
    table = RecordTable(tx)
    found = await table.page(tenant, customer, _place(after), limit + 1)
    items = [
        RecordHeld(
            event_id=each.event_id, type=each.type, received_at=each.received_at, data=msgspec.json.decode(each.body)
        )
        for each in found[:limit]
    ]
    last = f"{items[-1].received_at.isoformat()}/{items[-1].event_id}" if len(found) > limit else ""
    return RecordPage(items=items, next=_next(last) if last else None, kept_since=await table.kept_since())


def _order(one: held.HeldOrder, currency: str) -> OrderHeld:
    order = one.order
    return OrderHeld(
        order_id=order["order_id"], event_id=order["event_id"], occurred_at=order["occurred_at"],
        business_date=order["business_date"],
        total=None if order["gross_minor"] is None else to_text(order["gross_minor"], currency),
        refunded=to_text(order["refunded_minor"], currency), cancelled=order["cancelled"], currency=currency,
        refunds=[
            RefundHeld(
                event_id=refund["event_id"], amount=to_text(refund["amount_minor"], currency),
                clamped=to_text(refund["clamped_minor"], currency), occurred_at=refund["occurred_at"],
                business_date=refund["business_date"], refused=refund["refused"],
            )
            for refund in one.refunds
        ],
    )  # fmt: skip


def _answer(one: Answer) -> AnswerHeld:
    return AnswerHeld(
        event_id=one.event_id, kind=one.kind, score=one.score, occurred_at=one.occurred_at, business_date=one.day,
        order_id=one.order_id,
    )  # fmt: skip


def _next(after: str) -> str:
    return encode_cursor({"after": after})


def _position(cursor: str | None) -> str:
    after = decode_cursor(cursor).get("after", "")
    if not isinstance(after, str) or "\0" in after:
        raise bad_cursor()
    return after


def _place(after: str) -> tuple[datetime, UUID]:
    received_at, _, event_id = after.partition("/")
    try:
        return (datetime.fromisoformat(received_at), UUID(event_id)) if after else _FIRST
    except ValueError as error:
        raise bad_cursor() from error


def _id(after: str) -> UUID:
    try:
        return UUID(after) if after else held.FIRST_ID
    except ValueError as error:
        raise bad_cursor() from error
