"""Event -> what there is to tell. The only place where the published events become facts of messages."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifications.domain.message import Facts
from services.notifications.domain.templates import (
    POINTS_EARNED,
    POINTS_RESTORED,
    POINTS_RETURNED,
    Template,
    feedback_template,
)
from shared.events.contract import CustomerEvent
from shared.events.feedback import FeedbackSubmitted
from shared.events.points import PointsClawedBack, PointsEarned, PointsRestored, WalletEvent

CauseEvent = PointsEarned | PointsClawedBack | PointsRestored | FeedbackSubmitted


@dataclass(frozen=True, slots=True)
class Told:
    """A template and its facts; `origin_id` is the shop's own event behind the cause, None where that is the cause."""

    template: Template
    facts: Facts
    origin_id: UUID | None = None


def told_by(event: CustomerEvent) -> Told | None:
    """What this event gives to tell; None when it is nothing, such as no points."""
    match event:
        case PointsEarned() if event.points:
            active_from = _text(event.active_from)
            return Told(POINTS_EARNED, _wallet_facts(event) | {"active_from": active_from}, event.cause_id)
        case PointsClawedBack() if event.points:
            return Told(POINTS_RETURNED, _wallet_facts(event), event.cause_id)
        case PointsRestored() if event.points:
            return Told(POINTS_RESTORED, _wallet_facts(event), event.cause_id)
        case FeedbackSubmitted():
            facts = {"kind": event.kind, "order_id": event.order_id, "occurred_at": _text(event.occurred_at)}
            return Told(feedback_template(event.kind, event.score), facts)
        case _:
            return None


def _wallet_facts(event: WalletEvent) -> dict[str, str | int | None]:
    return {
        "points": event.points,
        "available": event.available,
        "pending": event.pending,
        "debt": event.debt,
        "order_id": event.order_id,
        "occurred_at": _text(event.occurred_at),
    }


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
