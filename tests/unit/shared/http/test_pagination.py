"""Cursors: what we gave comes back, and nothing else is taken."""

import base64
import contextlib
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidError
from shared.http.pagination import decode_cursor, encode_cursor

POSITIONS = st.dictionaries(
    st.text(string.ascii_lowercase, min_size=1, max_size=8),
    st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.none(),
    max_size=4,
)


@given(POSITIONS)
def test_a_cursor_brings_back_its_position(position: dict[str, object]) -> None:
    text = encode_cursor(position)
    assert decode_cursor(text) == position
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")


def test_no_cursor_is_the_beginning() -> None:
    assert decode_cursor(None) == {}


@given(st.text(max_size=60))
def test_text_that_we_did_not_make_is_refused_by_name(text: str) -> None:
    with contextlib.suppress(InvalidError):
        assert encode_cursor(decode_cursor(text)) == text


@given(POSITIONS, st.data())
def test_a_changed_cursor_never_passes_as_the_same(position: dict[str, object], data: st.DataObject) -> None:
    text = encode_cursor(position)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(sorted(set(string.ascii_letters + "-_=\0 ") - {text[at]})))
    with contextlib.suppress(InvalidError):
        assert decode_cursor(text[:at] + other + text[at + 1 :]) != position


@pytest.mark.parametrize(
    "raw",
    [b"", b"1", b"1[]", b'1{"a":1} ', b'{"a":1}', b'1{"a":1,"a":2}', b"1" + b"[" * 5000, json.dumps({"a": 1}).encode()],
)
def test_what_only_looks_like_a_cursor_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidError) as caught:
        decode_cursor(base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
    assert [fault.pointer for fault in caught.value.faults] == ["/cursor"]
