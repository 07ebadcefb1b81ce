"""The consumer's own path into a database, without Kafka: partitions as lists of events."""

from collections.abc import Sequence

from msgspec.structs import replace

from shared.ids import new_id
from shared.messaging import offsets
from shared.messaging.incoming import Incoming
from shared.messaging.lane import Lane
from shared.messaging.posting import Posting
from tests.support.metrics import APPLICATION, Metrics


class Log:
    """A topic of the test's own."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._posting = Posting(metrics.engine, APPLICATION, service="metrics")
        self._topic = f"test.{new_id().hex}"

    async def consume(self, part: int, events: Sequence[Incoming], batch: int) -> None:
        """Bring these events in as partition `part`, with inbox, retries and all."""
        claim = await offsets.claim(self._metrics.engine, self._topic, part, 0, "cluster", "test")
        lane = Lane(claim, self._posting, service="metrics")
        placed = [
            replace(event, raw=replace(event.raw, topic=self._topic, part=part, offset=offset))
            for offset, event in enumerate(events)
        ]
        for start in range(0, len(placed), batch):
            await lane.work(placed[start : start + batch])
