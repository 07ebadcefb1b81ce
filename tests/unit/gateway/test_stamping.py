"""Ids and envelopes of what comes in."""

import json
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ingest.contracts import Profile
from services.gateway.ingest.kinds import profile_of
from services.gateway.ingest.reading import Reader
from services.gateway.ingest.stamping import SOURCE, id_of, stamp_of
from shared.auth.principal import Principal
from shared.events.envelope import Envelope, record_of
from shared.ids import event_id, event_id_text
from tests.unit.gateway.bodies import GOOD, NOW, TENANT, reception


@given(tenant=st.text("abc-0", min_size=1), source=st.sampled_from(["event", "idempotency-key"]), key=st.text())
def test_an_id_as_text_is_the_id(tenant: str, source: str, key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert event_id_text(tenant, source, key) == str(event_id(tenant, source, key))


SHOP, OTHER_SHOP = (Principal(tenant, frozenset(), subject="key:k") for tenant in ("t", "u"))
CUSTOMER, OTHER_CUSTOMER = (Principal("t", frozenset(), customer) for customer in ("ada", "bob"))


def named(principal: Principal, kind: str, key: str | None = None, event_id: str | None = None) -> str:
    """The id of an event of this kind that `principal` gives this name."""
    entry, body = GOOD[kind]
    given = msgspec.convert({**body, "event_id": event_id}, entry.contract)
    event = entry.translate(given, reception(customer=principal.customer and body["customer_id"]), False)
    assert event is not None
    return id_of(principal, event, given, key)


def test_the_callers_name_goes_before_the_key() -> None:
    assert named(SHOP, "purchase", "k", "e") == named(SHOP, "purchase", None, "e")
    assert named(SHOP, "purchase", "k") == named(SHOP, "purchase", "k") != named(SHOP, "purchase", "l")
    assert named(SHOP, "purchase", event_id="e") != named(OTHER_SHOP, "purchase", event_id="e")
    assert named(SHOP, "purchase") != named(SHOP, "purchase")
    assert named(SHOP, "purchase", event_id="k") != named(SHOP, "purchase", "k")


@pytest.mark.parametrize("by", [{"event_id": "n"}, {"key": "n"}])
def test_a_name_belongs_to_who_gave_it_and_to_a_type(by: dict[str, str]) -> None:
    ids = [named(SHOP, kind, **by) for kind in ("purchase", "return", "cancellation", "feedback", "activity")]
    ids += [named(each, kind, **by) for each in (CUSTOMER, OTHER_CUSTOMER) for kind in ("feedback", "activity")]
    assert len(set(ids)) == len(ids)


def test_another_key_of_the_shop_gives_the_same_name() -> None:
    renewed = Principal("t", frozenset({"events:write"}), subject="key:of-tomorrow")
    assert named(renewed, "return", event_id="e") == named(SHOP, "return", event_id="e")


def test_a_profile_is_the_same_event_only_with_its_time() -> None:
    def put(**body: object) -> str:
        given = msgspec.convert(body, Profile)
        event = profile_of("ada").translate(given, reception(), False)
        assert event is not None
        return id_of(SHOP, event, given, "k")

    assert put() != put()
    assert put(occurred_at=NOW) == put(occurred_at=NOW - timedelta(1))


def test_a_stamp_writes_what_an_envelope_writes() -> None:
    at = reception()
    for kind, body in GOOD.values():
        _, event = Reader(kind).one(json.dumps(body).encode(), at)
        name = id_of(SHOP, event, None, None)
        stamped = stamp_of(at, "till-7", "00-a-b-01").record(event, name)
        envelope = Envelope(
            id=UUID(name), type=event.TYPE, version=event.VERSION, tenant="demo", source=SOURCE, time=NOW,
            correlation_id="till-7", traceparent="00-a-b-01", programme_version=TENANT.programme_version,
        )  # fmt: skip
        written = record_of(envelope, event)
        assert (stamped.topic, stamped.key, stamped.value) == (written.topic, written.key, written.value)
        assert sorted(stamped.headers) == sorted(written.headers)
