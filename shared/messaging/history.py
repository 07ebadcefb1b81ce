"""Reading a topic's past without being a member of any group: for replays, rebuilds and the auditor."""

from collections.abc import AsyncGenerator
from types import TracebackType

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.messaging.away import KafkaAwayError, kafka_answers
from shared.messaging.clients import stop_within
from shared.messaging.incoming import RawRecord, raw_record

_CHUNK_MAX = 2_000
_LOOK_MS = 500
_LOOKS_MAX = 60  # in vain, one after the other, though records lie ahead
_STOPPED_WITHIN_S = 5.0


class History:
    """One client for as many ranges as there are to read, one after the other. Raises KafkaAwayError."""

    def __init__(self, bootstrap: str) -> None:
        # A new range waits for the fetch that is under way, which at the end of a log lasts as long as it may.
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, client_id="treue-history", auto_offset_reset="none", fetch_max_wait_ms=100
        )

    async def __aenter__(self) -> "History":
        with kafka_answers():
            await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await stop_within(self._consumer, _STOPPED_WITHIN_S)

    async def read(self, topic: str, part: int, start: int, end: int) -> AsyncGenerator[list[RawRecord]]:
        """The records of a partition from `start` up to, not including, `end`, in chunks; compacted ones are
        missing."""
        tp, consumer = TopicPartition(topic, part), self._consumer
        consumer.assign([tp])
        with kafka_answers():
            end = min(end, (await consumer.end_offsets([tp]))[tp])
            consumer.seek(tp, max(start, (await consumer.beginning_offsets([tp]))[tp]))
            position = looks = 0
            while (reached := await consumer.position(tp)) < end:
                looks = looks + 1 if reached == position else 0
                position = reached
                if looks > _LOOKS_MAX:
                    raise KafkaAwayError(f"Kafka does not answer: nothing comes of {topic}/{part} from {position} on")
                found = await consumer.getmany(tp, timeout_ms=_LOOK_MS, max_records=_CHUNK_MAX)
                chunk = [raw_record(record) for record in found.get(tp, ()) if record.offset < end]
                if chunk:
                    yield chunk


async def read_range(bootstrap: str, topic: str, part: int, start: int, end: int) -> AsyncGenerator[list[RawRecord]]:
    """One range by a client of its own."""
    async with History(bootstrap) as history:
        async for chunk in history.read(topic, part, start, end):
            yield chunk
