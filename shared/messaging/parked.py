"""Parked events: they wait behind a dead letter of their key, or for something that is not known yet (a tenant's
programme, say). While a key has a parked event, its later events park behind it; unparker.py tries them again.
"""

from collections.abc import Sequence

from shared.db.transaction import Transaction
from shared.messaging.incoming import Incoming, headers_json

REPLAY = "replay"  # the reason of a record that an operator brings back from the topic
BLOCKED = "behind an event of the same key"

_PARK = """
    INSERT INTO parked_event (topic, part, off, record_key, value, headers, record_time, tenant, event_id, reason,
        parked_at, tried_at)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11, $11) ON CONFLICT DO NOTHING
"""


async def park(tx: Transaction, events: Sequence[Incoming], reason: str) -> None:
    """Put these events aside; their offsets count as passed."""
    rows = [
        (
            e.raw.topic, e.raw.part, e.raw.offset, e.key, e.raw.value, headers_json(e.raw.headers), e.raw.timestamp,
            e.tenant, e.id, reason, tx.now,
        )
        for e in events
    ]  # fmt: skip
    if rows:
        await tx.raw.executemany(_PARK, rows)
