"""What can be written to the topic of purchases past the gateway: known events on every partition, and poison."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaProducer

from deploy import letters
from deploy.chaos.victim import Victim
from deploy.description import Description
from deploy.problems import OperatorError
from shared.clock import SystemClock
from shared.events.contract import Topic
from shared.events.envelope import Envelope, Record, record_of
from shared.events.purchases import PurchaseCompleted
from shared.ids import new_id
from shared.messaging.history import read_range

_TOPIC: Final = Topic.PURCHASES.value
_PARTS: Final = range(6)
_COPIED: Final = 5
_READERS: Final = ("points", "metrics")
# Only what had its effect: of two bodies under one id, a copy of the later one could overtake the first.
_APPLIED: Final = """
    SELECT p.part, p.off FROM points.inbox p JOIN metrics.inbox m USING (tenant, event_id, topic, part, off)
    WHERE topic = $1 ORDER BY p.applied_at DESC LIMIT $2
"""
_OPEN: Final = "SELECT id FROM {s}.dead_letter WHERE (topic, part) = ($1, $2) AND off = any($3) AND state = 'open'"


def copied(victim: Victim) -> None:
    """The newest events again, twice on every partition: whoever gets them first, they had their effect."""
    places = [(row["part"], row["off"]) for row in victim.rows(_APPLIED, _TOPIC, _COPIED)]
    asyncio.run(_copy(victim.stack.addresses.kafka, places))


async def _copy(bootstrap: str, places: Sequence[tuple[int, int]]) -> None:
    records = [
        Record(raw.topic, raw.key or b"", raw.value or b"", list(raw.headers))
        for part, offset in places
        async for chunk in read_range(bootstrap, _TOPIC, part, offset, offset + 1)
        for raw in chunk
    ]
    for part in _PARTS:
        await write(bootstrap, part, records * 2)


def poisoned(victim: Victim) -> None:
    """A record that is no event, and one that every handler refuses. Both are kept as dead letters, refused again when
    they are retried, and given up."""
    refused = _refused(Description.required(victim.stack.folder).tenant)
    unreadable = Record(_TOPIC, refused.key, b"{not json", refused.headers)
    part = victim.dice.choice(_PARTS)
    offsets = asyncio.run(write(victim.stack.addresses.kafka, part, [unreadable, refused]))
    for service in _READERS:
        _give_up(victim, service, part, offsets)


def _give_up(victim: Victim, service: str, part: int, offsets: Sequence[int]) -> None:
    found = _kept(victim, service, part, offsets)
    if victim.in_database(lambda database: letters.retry(database, service, found)) != len(found):
        raise OperatorError(f"{service} does not try all of {found} again.", "`treue dead-letters list` tells.")
    for letter in _kept(victim, service, part, offsets):
        victim.in_database(partial(letters.discard, service=service, letter=letter))
    left = victim.rows(_OPEN.format(s=service), _TOPIC, part, offsets)
    if left:
        raise OperatorError(f"{service} still has open letters: {left}.", "`treue dead-letters list` tells.")


def _kept(victim: Victim, service: str, part: int, offsets: Sequence[int]) -> list[UUID]:
    """The open dead letters of these records, once there is one for each."""
    found: list[UUID] = []

    def all_there() -> bool:
        found[:] = [row["id"] for row in victim.rows(_OPEN.format(s=service), _TOPIC, part, offsets)]
        return len(found) == len(offsets)

    victim.until(f"{service} has a dead letter for each poisoned record", all_there)
    return found


def _refused(tenant: str) -> Record:
    """A purchase that can be read, but no database takes a NUL in a text. The gateway would not let it in."""
    return bought(tenant, "o-\x00")


def bought(tenant: str, order: str) -> Record:
    """A purchase of somebody new."""
    now, customer = SystemClock().now(), f"c-{new_id().hex}"
    event = PurchaseCompleted(
        occurred_at=now, order_id=order, customer_id=customer, currency="EUR", total_minor=1000, lines=()
    )
    return record_of(
        Envelope(id=new_id(), type=event.TYPE, version=event.VERSION, tenant=tenant, source="chaos", time=now), event
    )


async def write(bootstrap: str, part: int, records: Sequence[Record]) -> list[int]:
    """The offsets that they got."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, client_id="treue-chaos")
    await producer.start()
    try:
        return [
            (await producer.send_and_wait(_TOPIC, each.value, each.key, partition=part, headers=each.headers)).offset
            for each in records
        ]
    finally:
        await producer.stop()
