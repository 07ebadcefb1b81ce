"""The handler of the tutorials through FastStream.

`python -m benchmarks.faststream_peer DATABASE KAFKA COUNT` prints the events a second.
"""

import asyncio
import json
import sys
import time
from uuid import UUID

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from benchmarks.tutorial import post, sessions_on
from shared.ids import new_id


async def main(database: str, kafka: str, count: int) -> float:
    """Events a second."""
    broker = KafkaBroker(kafka, logger=None)
    seen: list[float] = []
    finished = asyncio.Event()
    async with sessions_on(database) as sessions:

        @broker.subscriber(
            "treue.purchases", group_id=f"faststream-{new_id().hex}", auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
        )  # fmt: skip
        async def handle(message: KafkaMessage) -> None:
            async with sessions() as session:
                await post(session, UUID(message.headers["ce_id"]), message.body)
            seen.append(time.monotonic())
            if len(seen) > count:
                finished.set()

        await broker.start()
        try:
            await finished.wait()
        finally:
            await broker.stop()
    return count / (seen[count] - seen[0])


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
