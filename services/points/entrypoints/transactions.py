"""A customer's ledger, and one of its lines explained."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from services.points.adapters import entries
from services.points.domain.explanation import sentence
from services.points.entrypoints.balance import customer_not_found, storable
from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_READ
from shared.db.transaction import transaction
from shared.errors import NotFoundError
from shared.http.caller import Caller
from shared.http.pagination import LIMIT_DEFAULT, Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor


class TransactionView(BaseModel):
    """One line of the ledger. `points` changes what the customer has, spendable or pending; `debt` what is owed."""

    id: UUID
    kind: str
    points: int
    debt: int
    balance_after: int = Field(description="Spendable and pending points after this line.")
    event_id: UUID
    order_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    reason: str


class LotUse(BaseModel):
    """Points that a debit took from an earlier credit."""

    entry_id: UUID
    points: int
    earned_at: datetime


class LotView(BaseModel):
    """What is left of a credit."""

    amount: int
    remaining: int
    held: int
    active_from: datetime
    expires_at: datetime | None


class ExplanationView(BaseModel):
    """Why an entry is what it is: the event, the version of the programme, what went in, how it was reckoned, and the
    lots."""

    entry: TransactionView
    customer_id: str
    event: dict[str, Any]
    programme_version: int
    inputs: dict[str, Any]
    arithmetic: str
    caps: list[dict[str, Any]] = Field(default_factory=list)
    lots_used: list[LotUse]
    lot: LotView | None


def transactions_router(engine: AsyncEngine) -> APIRouter:
    """`/v1/customers/{customer_id}/transactions` and `/v1/transactions/{entry_id}/explain`."""
    router = APIRouter(tags=["points"])

    @router.get("/v1/customers/{customer_id}/transactions", summary="A customer's ledger, newest first")
    async def transactions(
        customer_id: str, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> Page[TransactionView]:
        customer = storable(caller.customer_for(customer_id))
        before = _position(cursor)
        async with transaction(engine) as tx:
            rows = await entries.page(tx, caller.tenant, customer, before, limit + 1)
            if not await entries.customer_known(tx, caller.tenant, customer):
                raise customer_not_found()
        items = [TransactionView(**row) for row in rows[:limit]]
        return Page(items=items, next=encode_cursor({"id": str(items[-1].id)}) if len(rows) > limit else None)

    @router.get("/v1/transactions/{entry_id}/explain", summary="Why these points")
    async def explain(entry_id: UUID, caller: Caller) -> ExplanationView:
        async with transaction(engine) as tx:
            row = await entries.entry(tx, caller.tenant, entry_id)
            if row is None or not _may_see(caller, row["customer_id"]):
                raise NotFoundError("There is no such transaction.", code="transaction_not_found")
            used = await entries.lots_used(tx, caller.tenant, entry_id)
            lot = await entries.lot_filled(tx, caller.tenant, row)
        return _explanation(row, used, lot)

    return router


def _position(cursor: str | None) -> UUID:
    try:
        found = decode_cursor(cursor)
        return UUID(found["id"]) if found else entries.NEWEST
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise bad_cursor() from error


def _may_see(caller: Principal, customer_id: str) -> bool:
    """A customer sees their own; a key needs the scope."""
    if caller.customer is None:
        caller.require(CUSTOMERS_READ)
        return True
    return caller.customer == customer_id


def _explanation(row: Any, used: Any, lot: Any) -> ExplanationView:
    detail = dict(row["detail"])
    view = TransactionView(**{name: row[name] for name in TransactionView.model_fields})
    return ExplanationView(
        entry=view,
        customer_id=row["customer_id"],
        event={"event_id": row["event_id"], "order_id": row["order_id"], "occurred_at": row["occurred_at"]},
        programme_version=row["programme_version"],
        inputs=detail,
        arithmetic=sentence(row["kind"], row["points"], row["debt"], detail),
        lots_used=[
            LotUse(entry_id=each["entry_id"], points=each["points"], earned_at=each["occurred_at"]) for each in used
        ],
        lot=None if lot is None else LotView(**dict(lot), active_from=lot["activate_at"]),
    )
