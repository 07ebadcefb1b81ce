"""The outbox's rows: what goes in comes out, in order, and one customer's records go one way."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.db.mechanism import OUTBOX_BUCKETS
from shared.db.transaction import Transaction
from shared.events.envelope import Record
from shared.messaging.outbox import append, bucket_of, unpack

KEYS = st.sampled_from([b"acme:anna", b"acme:bert", b"acme", b"", b"\xff\x00"]) | st.binary(max_size=12)
HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=6), st.binary(max_size=8)), max_size=3)
RECORDS = st.lists(
    st.builds(Record, st.text(min_size=1, max_size=9), KEYS, st.binary(max_size=30), HEADERS), max_size=20
)


class _Connection:
    """Takes what would be inserted."""

    def __init__(self) -> None:
        self.inserted: list[tuple[Any, ...]] = []

    async def execute(self, _statement: str, *values: Any) -> None:
        self.inserted.append(values)


async def _rows(records: list[Record]) -> list[tuple[int, bytes, int]]:
    connection = _Connection()
    await append(Transaction(None, connection, datetime(2026, 3, 14, tzinfo=UTC)), records)  # type: ignore[arg-type]
    assert len(connection.inserted) <= 1, "one statement for all rows"
    return [
        row for buckets, packed, counts, _ in connection.inserted for row in zip(buckets, packed, counts, strict=True)
    ]


@given(RECORDS)
async def test_what_goes_in_comes_out_in_the_order_of_each_key(records: list[Record]) -> None:
    rows = await _rows(records)
    unpacked = {bucket: unpack(packed) for bucket, packed, _ in rows}
    assert len(unpacked) == len(rows), "one row for each bucket"
    assert [len(unpacked[bucket]) for bucket, _, _ in rows] == [count for _, _, count in rows]
    for key in {record.key for record in records}:
        sent = [record for record in unpacked[bucket_of(key)] if record.key == key]
        assert sent == [record for record in records if record.key == key]
    assert sum(map(len, unpacked.values())) == len(records)


@given(KEYS)
def test_a_key_always_goes_the_same_way(key: bytes) -> None:
    assert bucket_of(key) == bucket_of(bytes(key))
    assert 0 <= bucket_of(key) < OUTBOX_BUCKETS


def test_buckets_are_what_they_always_were() -> None:
    """A row written by the last release is relayed by this one: the way of a key must not change."""
    assert [bucket_of(key) for key in (b"acme:anna", b"acme:bert", b"acme", b"")] == [8, 7, 0, 9]


def test_all_buckets_are_used() -> None:
    assert {bucket_of(f"acme:{number}".encode()) for number in range(500)} == set(range(OUTBOX_BUCKETS))
