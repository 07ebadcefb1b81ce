"""The outbox: what a transaction has to publish is committed with it; the relay publishes it later.

One row carries all the records of a transaction that go the same way (bucket = partition of the key), so that a batch
of two thousand events costs one row or two and the records of one customer keep their order.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from shared.db.mechanism import OUTBOX_BUCKETS
from shared.db.transaction import Transaction
from shared.events.envelope import Record
from shared.messaging.batching import key_hash

_INSERT = """
    INSERT INTO outbox (bucket, records, record_count, created_at)
    SELECT bucket, records, record_count, $4 FROM unnest($1::smallint[], $2::bytea[], $3::int[])
        AS new (bucket, records, record_count)
"""
# Any: a foreign record's header may have no value, and its dead letter's then neither.
_Stored = tuple[str, bytes, bytes, list[tuple[str, Any]]]
_decoder = msgspec.msgpack.Decoder(list[_Stored])


def bucket_of(key: bytes) -> int:
    """The bucket of a record's key: the same customer, always the same bucket."""
    return key_hash(key) % OUTBOX_BUCKETS


async def append(tx: Transaction, records: Sequence[Record]) -> None:
    """Have these records published once the transaction is committed.

    Call it after the rows that order the records (the wallets) are locked: a row's id then follows their order.
    """
    buckets: defaultdict[int, list[_Stored]] = defaultdict(list)
    for each in records:
        buckets[bucket_of(each.key)].append((each.topic, each.key, each.value, each.headers))
    if not buckets:
        return
    packed = [msgspec.msgpack.encode(rows) for rows in buckets.values()]
    await tx.raw.execute(_INSERT, list(buckets), packed, [len(rows) for rows in buckets.values()], tx.now)


def unpack(stored: bytes) -> list[Record]:
    """The records of an outbox row, in order."""
    return [Record(*row) for row in _decoder.decode(stored)]
