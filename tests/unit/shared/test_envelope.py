"""Headers: any text comes back as it went, and what is no header of ours is one kind of error."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import registry
from shared.events.asyncapi import HEADERS
from shared.events.contract import Event
from shared.events.customers import CustomerErased
from shared.events.envelope import Envelope, EnvelopeError, Headers, key_of, record_of
from shared.events.examples import EXAMPLES
from shared.events.purchases import PurchaseCancelled
from tests.support.structs import structs

# Any text but NUL, which no text column takes.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
COUNTS = st.integers(0, 10**9 - 1)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001 - bounds are naive
ENVELOPES = st.builds(
    Envelope,
    id=st.uuids(),
    type=TEXTS,
    version=COUNTS,
    tenant=TEXTS,
    source=TEXTS,
    time=TIMES,
    correlation_id=TEXTS,
    traceparent=TEXTS,
    programme_version=COUNTS,
)
NAMES = st.sampled_from(sorted(HEADERS))
GOOD: Headers = [
    ("ce_id", b"5f0c7a52-5a53-5d3c-8f5e-2d8a6f2f7c11"),
    ("ce_type", b"purchase.completed"),
    ("ce_source", b"till"),
    ("ce_time", b"2026-03-14T12:00:00+00:00"),
    ("ce_dataschema", b"urn:treue:event:purchase.completed:1"),
    ("ce_tenant", b"acme"),
    ("ce_specversion", b"1.0"),
    ("content-type", b"application/json"),
]


@given(ENVELOPES)
def test_there_and_back(envelope: Envelope) -> None:
    assert Envelope.of(envelope.headers()) == envelope


@given(ENVELOPES)
def test_headers_are_those_that_are_documented(envelope: Envelope) -> None:
    names = [name for name, _ in envelope.headers()]
    assert len(names) == len(set(names))
    assert set(names) <= set(HEADERS)


def test_the_headers_of_today_are_read_for_ever() -> None:
    assert Envelope.of(GOOD) == Envelope(
        id=UUID("5f0c7a52-5a53-5d3c-8f5e-2d8a6f2f7c11"),
        type="purchase.completed",
        version=1,
        tenant="acme",
        source="till",
        time=datetime(2026, 3, 14, 12, tzinfo=UTC),
    )
    assert Envelope.of(GOOD).headers() == GOOD


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", None),
        ("ce_id", b"17"),
        ("ce_id", b"\xff"),
        ("ce_type", None),
        ("ce_source", None),
        ("ce_tenant", None),
        ("ce_time", None),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-03-14T12:00:00"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_time", b"9999-12-31T23:59:59-14:00"),
        ("ce_dataschema", None),
        ("ce_dataschema", b"urn:treue:event:purchase.completed:latest"),
        ("ce_dataschema", b"urn:treue:event:purchase.completed:-1"),
        ("ce_dataschema", "urn:treue:event:purchase.completed:\u0661".encode()),
        ("ce_dataschema", b"urn:treue:event:purchase.completed:" + b"9" * 5000),
        ("ce_programmeversion", b""),
        ("ce_programmeversion", b"1_0"),
        ("ce_programmeversion", b"99999999999"),
    ],
)
def test_wrong_headers_are_an_envelope_error(name: str, value: bytes | None) -> None:
    headers: list[tuple[str, bytes]] = [(each, held) for each, held in GOOD if each != name]
    with pytest.raises(EnvelopeError):
        Envelope.of(headers if value is None else [*headers, (name, value)])


@given(st.lists(st.tuples(NAMES | st.text(max_size=9), st.none() | st.binary(max_size=40))))
def test_any_headers_are_an_envelope_or_an_envelope_error(headers: Headers) -> None:
    for given_headers in (headers, GOOD + headers):
        try:
            envelope = Envelope.of(given_headers)
        except EnvelopeError:
            continue
        assert envelope.time.tzinfo is UTC
        assert "\x00" not in envelope.tenant + envelope.type + envelope.source + envelope.correlation_id


@pytest.mark.parametrize("name", ["ce_tenant", "ce_type", "ce_source", "ce_correlationid", "traceparent"])
def test_no_nul_gets_into_a_text(name: str) -> None:
    """No text column takes one: the event would be refused again and again, with all that stands around it."""
    assert r"\x00" not in repr(Envelope.of([*GOOD, (name, b"a\x00b")]))


def test_keys_keep_the_events_of_one_customer_together() -> None:
    now = datetime(2026, 3, 14, tzinfo=UTC)
    known = PurchaseCancelled(occurred_at=now, order_id="o-1", customer_id="anna")
    guest = PurchaseCancelled(occurred_at=now, order_id="o-1")
    programme = next(example for example in EXAMPLES if example.TYPE == "programme.updated")
    assert key_of("acme", known) == key_of("acme", CustomerErased(occurred_at=now, customer_id="anna")) == "acme:anna"
    assert key_of("acme", guest) == "acme:o-1"
    assert key_of("acme", programme) == "acme"


@given(ENVELOPES, st.sampled_from(registry.EVENTS).flatmap(structs))
def test_a_record_goes_to_its_topic_under_the_key_of_its_event(envelope: Envelope, event: Event) -> None:
    record = record_of(envelope, event)
    assert record.topic == event.TOPIC.value
    assert record.key.decode().startswith(envelope.tenant)
    assert registry.decode(event.TYPE, event.VERSION, record.value) == event
