"""What a topic holds, and writing to it past the gateway: same bytes, any partition."""

from aiokafka import AIOKafkaProducer

from deploy.chaos.judge import in_a_thread
from shared.events.contract import Topic
from shared.messaging.history import read_range
from shared.messaging.incoming import RawRecord
from shared.messaging.topics import log_ranges
from tests.support.platform import Platform

PURCHASES = Topic.PURCHASES.value
PARTITIONS = 6


def records(platform: Platform, event_id: str, topic: str = PURCHASES) -> list[RawRecord]:
    """The records of this event, in any partition."""

    async def read() -> list[RawRecord]:
        ends = await log_ranges(platform.kafka_bootstrap, [(topic, part) for part in range(PARTITIONS)])
        return [
            raw
            for (_, part), (first, end) in ends.items()
            async for chunk in read_range(platform.kafka_bootstrap, topic, part, first, end)
            for raw in chunk
            if dict(raw.headers).get("ce_id") == event_id.encode()
        ]

    return in_a_thread(read())


def write(
    platform: Platform, part: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
) -> int:
    """The offset that it got."""

    async def send() -> int:
        producer = AIOKafkaProducer(bootstrap_servers=platform.kafka_bootstrap)
        await producer.start()
        try:
            sent = await producer.send_and_wait(PURCHASES, value, key, partition=part, headers=headers)
            return int(sent.offset)
        finally:
            await producer.stop()

    return in_a_thread(send())
