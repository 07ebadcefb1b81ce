"""`GET /internal/events/{event_id}`: what became of an event in this service. The gateway asks all services and adds it
up; nobody else calls it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import transaction
from shared.errors import NotFoundError
from shared.http.caller import Caller

_FOUND = "SELECT outcome, reason, effects, topic, applied_at FROM inbox WHERE event_id = $1 AND tenant = $2"
_CONFLICTS = "SELECT received_at FROM conflict WHERE event_id = $1 AND tenant = $2 ORDER BY received_at, part, off"


class EventConflict(BaseModel):
    """The same id came again with another body, which was not applied."""

    received_at: datetime


class EventStatus(BaseModel):
    """What this service did with an event. By the topic the gateway knows whose word counts."""

    event_id: UUID
    outcome: str
    reason: str | None
    effects: list[dict[str, Any]]
    conflicts: list[EventConflict]
    topic: str
    applied_at: datetime


def event_status_router(engine: AsyncEngine) -> APIRouter:
    """The route, over the inbox in this engine's schema."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/events/{event_id}")
    async def event_status(event_id: str, caller: Caller) -> EventStatus:
        return await _read(engine, caller.tenant, _id(event_id))

    return router


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise _not_found() from error


async def _read(engine: AsyncEngine, tenant: str, event_id: UUID) -> EventStatus:
    async with transaction(engine) as tx:
        row = await tx.raw.fetchrow(_FOUND, event_id, tenant)
        if row is None:
            raise _not_found()
        conflicts = await tx.raw.fetch(_CONFLICTS, event_id, tenant)
    return EventStatus(
        event_id=event_id,
        outcome=row["outcome"],
        reason=row["reason"],
        effects=row["effects"] or [],
        conflicts=[EventConflict(received_at=conflict["received_at"]) for conflict in conflicts],
        topic=row["topic"],
        applied_at=row["applied_at"],
    )


def _not_found() -> NotFoundError:
    return NotFoundError("This event has not come here.", code="event_not_found")
