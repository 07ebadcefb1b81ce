"""`GET /internal/events/{event_id}`: what became of an event in this service. The gateway asks all services and adds it
up; nobody else calls it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_READ, CUSTOMERS_WRITE, EVENTS_WRITE
from shared.db.transaction import Transaction, transaction
from shared.errors import NotFoundError
from shared.http.caller import Caller

_FOUND = "SELECT outcome, reason, effects, topic, part, off, applied_at FROM inbox WHERE event_id = $1 AND tenant = $2"
_CONFLICTS = """
    SELECT received_at, topic, part, off FROM conflict WHERE event_id = $1 AND tenant = $2
    ORDER BY received_at, part, off LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a service's own tables say of an event that the inbox, which is written once, cannot tell: `outcome` is
    `accepted` until it is decided."""

    outcome: str
    reason: str | None = None
    effects: list[dict[str, Any]] = field(default_factory=list)


# By tenant and event id; None where the inbox says it all.
Decide = Callable[[Transaction, str, UUID], Awaitable[Decision | None]]


class Place(BaseModel):
    """Where in Kafka a body stands."""

    topic: str
    part: int
    offset: int


class EventConflict(BaseModel):
    """The same id came again with another body, which was not applied."""

    received_at: datetime
    place: Place


class EventStatus(BaseModel):
    """What this service did with an event. By the topic the gateway knows whose word counts; `place` is that of the
    body that was judged here. At most a hundred conflicts are listed."""

    event_id: UUID
    outcome: str
    reason: str | None
    effects: list[dict[str, Any]]
    conflicts: list[EventConflict]
    topic: str
    applied_at: datetime
    place: Place


def event_status_router(engine: AsyncEngine, decide: Decide | None = None) -> APIRouter:
    """The route, over the inbox in this engine's schema; what `decide` knows of an event goes before it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/events/{event_id}")
    async def event_status(event_id: str, caller: Caller) -> EventStatus:
        _require(caller)
        return await _read(engine, caller.tenant, _id(event_id), decide)

    return router


def _require(caller: Principal) -> None:
    """A customer is told nothing here: nobody knows whose event it is. Raises NotFoundError, ForbiddenError."""
    if caller.customer is not None:
        raise _not_found()
    caller.require_any(EVENTS_WRITE, CUSTOMERS_WRITE, CUSTOMERS_READ)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise _not_found() from error


async def _read(engine: AsyncEngine, tenant: str, event_id: UUID, decide: Decide | None) -> EventStatus:
    async with transaction(engine) as tx:
        row = await tx.raw.fetchrow(_FOUND, event_id, tenant)
        if row is None:
            raise _not_found()
        conflicts = await tx.raw.fetch(_CONFLICTS, event_id, tenant)
        decided = await decide(tx, tenant, event_id) if decide else None
    decision = decided or Decision(row["outcome"], row["reason"], row["effects"] or [])
    return EventStatus(
        event_id=event_id,
        outcome=decision.outcome,
        reason=decision.reason,
        effects=decision.effects,
        conflicts=[EventConflict(received_at=each["received_at"], place=_place(each)) for each in conflicts],
        topic=row["topic"],
        applied_at=row["applied_at"],
        place=_place(row),
    )


def _place(row: Mapping[str, Any]) -> Place:
    return Place(topic=row["topic"], part=row["part"], offset=row["off"])


def _not_found() -> NotFoundError:
    return NotFoundError("This event has not come here.", code="event_not_found")
