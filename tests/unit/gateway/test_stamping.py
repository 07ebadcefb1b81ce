"""Ids and envelopes of what comes in."""

import json
from datetime import timedelta
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ingest.contracts import Profile, Purchase
from services.gateway.ingest.reading import Reader
from services.gateway.ingest.stamping import SOURCE, id_of, stamp_of
from shared.events.envelope import Envelope, record_of
from shared.ids import event_id, event_id_text
from tests.unit.gateway.bodies import GOOD, NOW, TENANT, reception


def purchase(**change: object) -> Purchase:
    body = {name: value for name, value in GOOD["purchase"][1].items() if name != "event_id"}
    return msgspec.convert(body | change, Purchase)


@given(tenant=st.text("abc-0", min_size=1), source=st.sampled_from(["event", "idempotency-key"]), key=st.text())
def test_an_id_as_text_is_the_id(tenant: str, source: str, key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert event_id_text(tenant, source, key) == str(event_id(tenant, source, key))


def test_the_callers_name_goes_before_the_key() -> None:
    assert id_of("t", purchase(event_id="e"), "k") == id_of("t", purchase(event_id="e"), None)
    assert id_of("t", purchase(), "k") == id_of("t", purchase(), "k") != id_of("t", purchase(), "l")
    assert id_of("t", purchase(event_id="e"), None) != id_of("u", purchase(event_id="e"), None)
    assert id_of("t", purchase(), None) != id_of("t", purchase(), None)


def test_a_profile_is_the_same_event_only_with_its_time() -> None:
    assert id_of("t", Profile(), "k") != id_of("t", Profile(), "k")
    assert id_of("t", Profile(occurred_at=NOW), "k") == id_of("t", Profile(occurred_at=NOW + timedelta(1)), "k")


def test_a_stamp_writes_what_an_envelope_writes() -> None:
    at = reception()
    for kind, body in GOOD.values():
        _, event = Reader(kind).one(json.dumps(body).encode(), at)
        name = id_of("demo", None, None)
        stamped = stamp_of(at, "till-7", "00-a-b-01").record(event, name)
        envelope = Envelope(
            id=UUID(name), type=event.TYPE, version=event.VERSION, tenant="demo", source=SOURCE, time=NOW,
            correlation_id="till-7", traceparent="00-a-b-01", programme_version=TENANT.programme_version,
        )  # fmt: skip
        written = record_of(envelope, event)
        assert (stamped.topic, stamped.key, stamped.value) == (written.topic, written.key, written.value)
        assert sorted(stamped.headers) == sorted(written.headers)
