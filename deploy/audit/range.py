"""The positions against the topics themselves: no position lies beyond its log, none before the log's first record."""

from collections.abc import Sequence

import asyncpg

from deploy.audit.check import Check, Finding
from shared.events.contract import Topic
from shared.messaging.topics import log_ranges

_POSITIONS = "SELECT topic, part, first_offset, next_offset FROM {}.consumer_offset"
CHECK = Check("kafka", "positions_within_logs", "every position lies within its topic's log", "", "")


async def beyond_the_log(connection: asyncpg.Connection, bootstrap: str, services: Sequence[str]) -> Finding:
    """Compare each stored position with what Kafka holds."""
    positions = [
        {"tenant": "", "service": service, **dict(row)}
        for service in services
        for row in await connection.fetch(_POSITIONS.format(service))
    ]
    ranges = await log_ranges(bootstrap, {(row["topic"], row["part"]) for row in positions})
    compacted = {topic.value for topic in Topic if topic.compacted}
    wrong = []
    for row in positions:
        first, end = ranges.get((row["topic"], row["part"]), (0, -1))
        lost = row["next_offset"] < first and row["topic"] not in compacted
        if row["next_offset"] > end or lost:
            wrong.append({**row, "log_first": first, "log_end": end})
    return Finding(CHECK, len(positions), len(wrong), wrong[:5])
