"""Business time."""

from datetime import UTC, datetime

from services.gateway.ingest import rules
from services.gateway.ingest.reception import Reception


def accepted(occurred_at: datetime, at: Reception) -> datetime | None:
    """The instant in UTC, so that the same one written with another offset is the same body; None if we cannot be
    looking back at it."""
    if not rules.EARLIEST <= occurred_at <= at.latest:
        return None
    return occurred_at if occurred_at.tzinfo is UTC else occurred_at.astimezone(UTC)
