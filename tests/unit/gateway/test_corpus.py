"""Both ways of reading a body accept and refuse the same, and make the same event of it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.ingest.kinds import Kind
from services.gateway.ingest.reading import Reader
from services.gateway.ingest.reception import Reception
from services.gateway.ingest.strictly import read_strictly
from shared.errors import InvalidError, MalformedError, NotFoundError, TreueError
from shared.events import registry
from shared.events.contract import Event
from tests.unit.gateway.bodies import GOOD, MISSING, VALUES, changed, places, reception

READERS = {kind.name: Reader(kind) for kind, _ in GOOD.values()}


def by_fast_way(kind: Kind, raw: bytes, at: Reception) -> Event | str | None:
    found = READERS[kind.name].fast(raw)
    try:
        return None if found is None else kind.translate(found[0], at, found[1])
    except NotFoundError as error:
        return error.code


def by_strict_way(kind: Kind, raw: bytes, at: Reception) -> Event | str | None:
    try:
        return read_strictly(kind, raw, at)[1]
    except NotFoundError as error:
        return error.code
    except MalformedError:
        return None
    except InvalidError as error:
        faults = error.faults
    assert faults, raw
    assert all(fault.pointer.startswith("/") and fault.detail and fault.rule for fault in faults), faults
    assert not any(fault.rule == "unacceptable" for fault in faults), f"only the fast way refuses {raw!r}"
    return None


def assert_both_agree(kind: Kind, body: Any, at: Reception) -> None:
    raw = json.dumps(body, ensure_ascii=False).encode()
    fast, strict = by_fast_way(kind, raw, at), by_strict_way(kind, raw, at)
    assert fast == strict, raw
    if isinstance(fast, Event) and isinstance(strict, Event):
        assert registry.encode(fast) == registry.encode(strict)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_fine_is_taken_by_the_fast_way(name: str) -> None:
    kind, body = GOOD[name]
    assert isinstance(by_fast_way(kind, json.dumps(body).encode(), reception()), Event)
    assert_both_agree(kind, body, reception())


@pytest.mark.parametrize("name", GOOD)
def test_every_value_in_every_place(name: str) -> None:
    kind, body = GOOD[name]
    for path in places(body):
        for value in VALUES:
            assert_both_agree(kind, changed(body, path, value), reception())


@pytest.mark.parametrize("currency", ["JPY", "KWD", "USD"])
def test_amounts_have_the_digits_of_the_programmes_currency(currency: str) -> None:
    kind, body = GOOD["purchase"]
    for total in ("10", "10.0", "10.00", "10.000", "10.0000", "10.001", "10.0001", "10.000000", "10.0000000"):
        for given_currency in (currency, "EUR"):
            line = {"line_id": "1", "sku": "s", "quantity": 1, "unit_price": total}
            whole = body | {"currency": given_currency, "total": total, "lines": [line]}
            assert_both_agree(kind, whole, reception(currency))
            digits = {"JPY": 0, "KWD": 3, "USD": 2}[currency]
            decimals = total.partition(".")[2]
            plain = decimals.rstrip("0") if digits else decimals
            fits = given_currency == currency and len(plain) <= digits and len(decimals) <= 6
            assert (by_strict_way(kind, json.dumps(whole).encode(), reception(currency)) is not None) == fits


@pytest.mark.parametrize("name", ["feedback", "activity"])
@pytest.mark.parametrize("customer", [MISSING, None, "me", "c-1", "other", "", 17])
def test_a_customer_speaks_for_itself(name: str, customer: Any) -> None:
    kind, body = GOOD[name]
    assert_both_agree(kind, changed(body, ("customer_id",), customer), reception(customer="c-1"))


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_several_changes_at_once(data: st.DataObject) -> None:
    kind, body = GOOD[data.draw(st.sampled_from(sorted(GOOD)))]
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(places(body)))
        body = changed(body, path, data.draw(st.one_of(st.sampled_from(VALUES), st.text(max_size=8))))
        if not isinstance(body, dict):
            return
    try:
        assert_both_agree(kind, body, reception())
    except UnicodeEncodeError:  # half a surrogate pair cannot be sent as it is
        return


def test_all_faults_are_named_at_once() -> None:
    kind, body = GOOD["purchase"]
    wrong = body | {"currency": "EURO", "occurred_at": "yesterday", "unknown": 1, "customer_id": "ada@example.org"}
    wrong["lines"] = [body["lines"][0], body["lines"][0] | {"discount": "100.00"}]
    with pytest.raises(InvalidError) as refused:
        read_strictly(kind, json.dumps(wrong).encode(), reception())
    rules = {(fault.pointer, fault.rule) for fault in refused.value.faults}
    assert rules == {
        ("/currency", "currency"),
        ("/occurred_at", "instant"),
        ("/unknown", "unknown"),
        ("/customer_id", "looks_like_email"),
        ("/lines/1/line_id", "unique"),
        ("/lines/1/discount", "discount"),
        ("/total", "more_than_lines"),
    }


def test_money_as_a_number_is_refused_with_the_reason() -> None:
    kind, body = GOOD["return"]
    with pytest.raises(TreueError) as refused:
        read_strictly(kind, json.dumps(body | {"total": 3.0}).encode(), reception())
    assert [fault.rule for fault in refused.value.faults] == ["amount_is_text"]
