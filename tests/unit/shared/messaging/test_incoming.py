"""Reading a record: whatever lies in Kafka gets an answer, and the right one."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.events import registry
from shared.events.contract import Event
from shared.events.envelope import Envelope, Headers, Record, record_of
from shared.events.examples import EXAMPLES
from shared.ids import derived_id
from shared.messaging.incoming import (
    Foreign,
    Incoming,
    RawRecord,
    Unreadable,
    headers_json,
    headers_of,
    raw_record,
    read,
)
from tests.support.structs import structs

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
EXAMPLE = EXAMPLES[2]
VALUES = st.none() | st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b"null", b"1", b'{"a":' + b"[" * 100_000])
HEADER_LISTS = st.lists(st.tuples(st.text(max_size=12), st.none() | st.binary(max_size=30)), max_size=5)


def _envelope(event: Event, **changes: object) -> Envelope:
    cause = UUID("5f0c7a52-5a53-5d3c-8f5e-2d8a6f2f7c11")
    made = Envelope(id=cause, type=event.TYPE, version=event.VERSION, tenant="acme", source="till", time=NOW)
    return msgspec.structs.replace(made, **changes)  # type: ignore[arg-type]


def _raw(record: Record) -> RawRecord:
    return RawRecord(record.topic, 0, 7, record.key, record.value, record.headers, NOW)


def _good(event: Event = EXAMPLE, **changes: object) -> RawRecord:
    return _raw(record_of(_envelope(event, **changes), event))


def _everything(_type: str) -> bool:
    return True


@given(st.none() | st.binary(max_size=20), VALUES, HEADER_LISTS)
def test_no_bytes_and_no_headers_make_it_raise(key: bytes | None, value: bytes | None, headers: Headers) -> None:
    assert isinstance(read(RawRecord("t", 0, 0, key, value, headers, NOW), _everything), Unreadable)
    real = _good()
    found = read(msgspec.structs.replace(real, key=key, value=value, headers=real.headers + headers), _everything)
    # A header that is sent twice counts as it was sent last: some of these spoil the envelope of a tombstone.
    spoilt = any(name.startswith("ce_") for name, _ in headers)
    assert isinstance(found, Foreign if value is None and not spoilt else Unreadable | Foreign)
    assert value is None or isinstance(found, Unreadable)


@given(st.sampled_from(registry.EVENTS).flatmap(structs), st.data())
def test_a_damaged_body_is_unreadable_or_still_an_event(event: Event, data: st.DataObject) -> None:
    raw = _good(event)
    assert raw.value is not None
    at = data.draw(st.integers(0, len(raw.value) - 1))
    damaged = raw.value[:at] + data.draw(st.binary(max_size=3)) + raw.value[at + 1 :]
    assert isinstance(read(msgspec.structs.replace(raw, value=damaged), _everything), Incoming | Unreadable)


@given(st.sampled_from(registry.EVENTS).flatmap(structs))
def test_a_good_record_is_the_event_that_was_sent(event: Event) -> None:
    found = read(_good(event), _everything)
    assert isinstance(found, Incoming)
    assert (found.event, found.tenant, found.id) == (event, "acme", found.envelope.id)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (msgspec.structs.replace(_good(), headers=[]), "envelope"),
        (_good(version=2), "unknown_version"),
        (_good(type="purchase.imagined"), "unknown_version"),
        (msgspec.structs.replace(_good(), value=b""), "unreadable_body"),
        (msgspec.structs.replace(_good(), value=b'{"occurred_at":"2026-03-14T12:00:00Z"}'), "unreadable_body"),
        (msgspec.structs.replace(_good(), value=b'{"a":' + b"[" * 100_000), "unreadable_body"),
        (msgspec.structs.replace(_good(), value=b'{"order_id":"\xff"}'), "unreadable_body"),
        (msgspec.structs.replace(_good(), key=b"acme:somebody-else"), "wrong_key"),
        (msgspec.structs.replace(_good(), key=b"other:c-1001"), "wrong_key"),
        (msgspec.structs.replace(_good(), key=None), "wrong_key"),
        (msgspec.structs.replace(_good(), key=b"\xff"), "wrong_key"),
    ],
)
def test_what_cannot_be_read_says_why(raw: RawRecord, error: str) -> None:
    found = read(raw, _everything)
    assert isinstance(found, Unreadable)
    assert found.error == error
    assert found.detail


def test_what_nobody_listens_to_is_passed_by_unread() -> None:
    unread = msgspec.structs.replace(_good(), value=b"not even JSON")
    assert isinstance(read(unread, lambda event_type: event_type == "points.earned"), Foreign)


def test_a_tombstone_is_passed_by() -> None:
    assert isinstance(read(msgspec.structs.replace(_good(), value=None), _everything), Foreign)


@given(st.binary(), st.binary())
def test_the_body_hash_is_the_same_only_for_the_same_body(one: bytes, other: bytes) -> None:
    first, second = (msgspec.structs.replace(_good(), value=body, key=b"k").fingerprint for body in (one, other))
    assert (first == second) == (one == other)


def test_the_same_event_sent_again_has_the_same_hash_and_a_changed_one_another() -> None:
    first, again = read(_good(time=NOW), _everything), read(_good(time=NOW + timedelta(hours=1)), _everything)
    changed = read(_good(EXAMPLES[3]), _everything)
    assert isinstance(first, Incoming)
    assert isinstance(again, Incoming)
    assert isinstance(changed, Incoming)
    assert first.body_hash == again.body_hash != changed.body_hash


def test_a_consequence_has_a_stable_id_and_belongs_to_the_same_story() -> None:
    cause = read(_good(correlation_id="req-1", traceparent="00-1-2-01", programme_version=3), _everything)
    assert isinstance(cause, Incoming)
    once, twice = (cause.follow(EXAMPLES[3], "earned") for _ in range(2))
    first, second = Envelope.of(once.headers), Envelope.of(twice.headers)
    assert first.id == second.id == derived_id(cause.id, "earned")
    assert (once.value, once.headers) == (twice.value, twice.headers)
    assert first.time == cause.envelope.time, "a message about it must not seem fresher than its cause"
    assert (first.tenant, first.correlation_id, first.traceparent, first.programme_version) == (
        "acme", "req-1", "00-1-2-01", 3,
    )  # fmt: skip


@example([("h", b"\x00"), ("h\x00", b"\\u0000"), ("h", b"\\\x00\xff"), ("h", None)])
@given(HEADER_LISTS)
def test_stored_headers_keep_every_text(headers: Headers) -> None:
    """Bytes that are text come back as they were; others by their escapes, and no value at all as an empty one."""
    stored = headers_json(headers)
    assert "\x00" not in "".join(text for pair in json.loads(stored) for text in pair), "jsonb takes no NUL"
    for (kept, data), (name, value) in zip(headers_of(json.loads(stored)), headers, strict=True):
        assert kept == name.replace("\x00", "\\x00")
        assert data == (value or b"").decode("utf-8", "backslashreplace").replace("\x00", "\\x00").encode()


@given(st.integers(-(2**63), 2**63 - 1))
@example(2**63 - 1)
def test_a_record_may_say_any_time(milliseconds: int) -> None:
    record = SimpleNamespace(topic="t", partition=0, offset=1, key=b"k", value=b"v", headers=(), timestamp=milliseconds)
    assert raw_record(record).timestamp.tzinfo is UTC
