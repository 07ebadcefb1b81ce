"""Answers to surveys. Every kind has its own scale, and scales are never mixed."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.metrics.domain.errors import OffScaleError

PROMOTER_FROM = 9
PASSIVE_FROM = 7


@dataclass(frozen=True, slots=True)
class Answer:
    """What a customer answered, once."""

    tenant: str
    event_id: UUID
    customer: str
    kind: str
    score: int
    occurred_at: datetime
    day: date
    order_id: str | None

    def require_scale(self, low: int, high: int) -> None:
        """Raises OffScaleError for a score that its kind of survey does not have."""
        if not low <= self.score <= high:
            raise OffScaleError(f"{self.kind} is answered from {low} to {high}, not by {self.score}.")
