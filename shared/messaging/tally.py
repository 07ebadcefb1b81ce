"""What a batch came to, counted for Prometheus once it is committed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.messaging.incoming import Effects, Incoming
from shared.observability import metrics


@dataclass(slots=True)
class Tally:
    """The counts of one batch of one topic."""

    service: str
    topic: str
    records: int
    applied: int = 0
    rejected: int = 0
    duplicates: int = 0
    conflicts: int = 0
    dead: int = 0
    ignored: int = 0
    parked: int = 0
    ages_s: list[float] = field(default_factory=list)

    @property
    def worked(self) -> bool:
        """Whether the service dealt with at least one event of the batch."""
        return self.applied + self.rejected > 0

    def posted(self, now: datetime, events: Sequence[Incoming], effects: Effects, *, parked: int) -> None:
        """Take over what the service answered."""
        self.rejected = sum(effects.of(event.id).status == "rejected" for event in events)
        self.applied, self.parked = len(events) - self.rejected, parked
        # One age a batch is enough for a histogram, and the oldest is the one that somebody waits for.
        self.ages_s = [(now - min(event.envelope.time for event in events)).total_seconds()] if events else []

    def count(self) -> None:
        """Tell Prometheus; call it after the commit."""
        for metric, count in (
            (metrics.EVENTS_CONSUMED, self.records),
            (metrics.EVENTS_APPLIED, self.applied),
            (metrics.EVENTS_REJECTED, self.rejected),
            (metrics.EVENTS_DUPLICATE, self.duplicates),
            (metrics.EVENTS_CONFLICT, self.conflicts),
            (metrics.EVENTS_DEAD_LETTERED, self.dead),
            (metrics.EVENTS_IGNORED, self.ignored),
            (metrics.EVENTS_PARKED, self.parked),
        ):
            if count:
                metric.labels(self.service, self.topic).inc(count)
        metrics.BATCH_EVENTS.labels(self.service).observe(self.records)
        for age_s in self.ages_s:
            metrics.EVENT_AGE_SECONDS.labels(self.service, self.topic).observe(age_s)
