"""The only place that reads the wall clock. Decisions use an event's own time; this clock stamps and schedules."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of the current instant, injected so that tests own the time."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the one place that may


class FixedClock:
    """A clock that stands still until it is set: for tests and for replaying."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant
