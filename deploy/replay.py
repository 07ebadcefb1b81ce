"""`treue replay`: brings records of a topic back to a service, through the path that every event takes.

They are parked, in front of what the service would do next for their keys, and the worker applies them in their order.
What had its effect already is known to the inbox and changes nothing, so replaying too much is harmless.
"""

import asyncio
from typing import Annotated

import asyncpg
import typer

from deploy.connections import administrator
from deploy.dead_letters import Service
from deploy.description import Description
from deploy.local.folder import StackFolder
from deploy.output import progress, show
from deploy.problems import OperatorError
from shared.events.contract import Topic
from shared.events.envelope import Envelope, EnvelopeError
from shared.messaging.dead_letters import printable
from shared.messaging.history import read_range
from shared.messaging.incoming import RawRecord, headers_json
from shared.messaging.parked import REPLAY
from shared.messaging.topics import log_ranges

_NOBODY = "00000000-0000-0000-0000-000000000000"
_PARK = """
    INSERT INTO {s}.parked_event (topic, part, off, record_key, value, headers, record_time, tenant, event_id, reason,
        parked_at, tried_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp(), 'epoch') ON CONFLICT DO NOTHING
"""
_LEFT = "SELECT count(*) FROM {s}.parked_event WHERE reason = $1"
_KNOWN = "SELECT count(*) FROM {s}.inbox WHERE topic = $1 AND part = $2 AND off >= $3 AND off < $4"


def replay(
    topic: Annotated[Topic, typer.Argument(help="The topic whose past is to be applied again.")],
    service: Annotated[Service, typer.Option(help="Which service applies it.")] = Service.POINTS,
    partition: Annotated[int | None, typer.Option(help="Only this partition; all of them without it.")] = None,
    start: Annotated[int, typer.Option("--from", help="First offset.")] = 0,
    end: Annotated[
        int | None, typer.Option("--to", help="Offset after the last; the service's position without it.")
    ] = None,
) -> None:
    """Apply a range of a topic again. Only what had no effect yet has one."""
    if end is not None and start > end:
        raise OperatorError(f"From {start} to {end} there is nothing.", "--to is the offset after the last one.")
    described = Description.required(StackFolder.chosen())
    found = asyncio.run(_replay(described, service.value, topic.value, partition, start, end))
    show(
        {"records": found[0], "newly_applied": found[1], "left": found[2]},
        f"{found[0]} records replayed to {service.value}: {found[1]} had an effect that was missing"
        + (
            f"; {found[2]} still wait, `treue dead-letters list --service {service.value}` tells why."
            if found[2]
            else "."
        ),
    )


async def _replay(
    described: Description, service: str, topic: str, partition: int | None, start: int, end: int | None
) -> tuple[int, int, int]:
    async with administrator(described.database_url) as database:
        positions = dict(
            await database.fetch(f"SELECT part, next_offset FROM {service}.consumer_offset WHERE topic = $1", topic)  # noqa: S608
        )
        parts = [partition] if partition is not None else sorted(positions)
        ranges = await log_ranges(described.kafka_bootstrap, [(topic, part) for part in parts])
        count = applied = 0
        for part in parts:
            if part not in positions:
                raise OperatorError(
                    f"{service} does not consume partition {part} of {topic}.", "`treue topics` lists them."
                )
            first, stop = max(start, ranges[topic, part][0]), _stop(end, positions[part])
            before = await database.fetchval(_KNOWN.format(s=service), topic, part, first, stop)
            async for chunk in read_range(described.kafka_bootstrap, topic, part, first, stop):
                await database.executemany(_PARK.format(s=service), [_row(raw) for raw in chunk])
                count += len(chunk)
                progress().print(f"  {topic}/{part}: up to offset {chunk[-1].offset}", style="dim")
                await _drained(database, service)
            applied += await database.fetchval(_KNOWN.format(s=service), topic, part, first, stop) - before
        return count, applied, await database.fetchval(_LEFT.format(s=service), REPLAY)


def _stop(end: int | None, position: int) -> int:
    """What lies beyond the position is still to come by itself."""
    return position if end is None else min(end, position)


async def _drained(database: asyncpg.Connection, service: str) -> None:
    """Until the worker has taken what was parked, or nothing moves any more."""
    left, still = -1, 0
    while still < 20:
        now = await database.fetchval(_LEFT.format(s=service), REPLAY)
        if not now:
            return
        still = still + 1 if now == left else 0
        left = now
        await asyncio.sleep(0.5)


def _row(raw: RawRecord) -> tuple[object, ...]:
    try:
        envelope = Envelope.of(raw.headers)
        tenant, event_id = envelope.tenant, str(envelope.id)
    except EnvelopeError:
        tenant, event_id = "", _NOBODY
    key, headers = printable(raw.key), headers_json(raw.headers)
    return raw.topic, raw.part, raw.offset, key, raw.value, headers, raw.timestamp, tenant, event_id, REPLAY
