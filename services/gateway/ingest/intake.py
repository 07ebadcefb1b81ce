"""Records -> Kafka, within limits: whoever sends faster than the log takes is told to wait, not queued for ever."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import RateLimitedError
from shared.events.envelope import Record
from shared.messaging.producer import Producer


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """`tenant_max`: events of one tenant that may wait for Kafka; the rest of the process's limit is for others."""

    deadline_s: float
    tenant_max: int


class Intake:
    """Hands events to Kafka and returns when it has them."""

    def __init__(self, producer: Producer, limits: IntakeLimits) -> None:
        self._producer, self._limits = producer, limits
        self._in_flight: dict[str, int] = {}

    async def take(self, tenant: str, records: Sequence[Record]) -> None:
        """Returns when Kafka has acknowledged all of them. Raises UnavailableError when it did not in time: the outcome
        is unknown then; RateLimitedError when too much of this tenant is under way already."""
        waiting = self._in_flight.get(tenant, 0) + len(records)
        if waiting > self._limits.tenant_max:
            raise RateLimitedError("Too many events of this tenant wait for the log already.", retry_after_s=1.0)
        self._in_flight[tenant] = waiting
        try:
            await self._producer.send(records, deadline_s=self._limits.deadline_s)
        finally:
            self._in_flight[tenant] -= len(records)
            if not self._in_flight[tenant]:
                del self._in_flight[tenant]
