"""Reading a topic's past without being a member of any group: for replays and rebuilds."""

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.messaging.incoming import RawRecord, raw_record

_CHUNK_MAX = 2_000


async def read_range(bootstrap: str, topic: str, part: int, start: int, end: int) -> AsyncIterator[list[RawRecord]]:
    """The records of a partition from `start` up to, not including, `end`, in chunks; compacted ones are missing."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, client_id="treue-history", auto_offset_reset="none")
    await consumer.start()
    try:
        tp = TopicPartition(topic, part)
        consumer.assign([tp])
        end = min(end, (await consumer.end_offsets([tp]))[tp])
        consumer.seek(tp, max(start, (await consumer.beginning_offsets([tp]))[tp]))
        while await consumer.position(tp) < end:
            found = await consumer.getmany(tp, timeout_ms=500, max_records=_CHUNK_MAX)
            chunk = [raw_record(record) for record in found.get(tp, ()) if record.offset < end]
            if chunk:
                yield chunk
    finally:
        await consumer.stop()
