"""The JSON reader against the standard one, and against what is made to hurt."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidError, MalformedError, TreueError
from shared.http.json import DEPTH_MAX, pointer, read_json, read_object

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXT, inner, max_size=6),
    max_leaves=60,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_good_json_is_read_as_the_standard_library_reads_it(value: Any, ascii_only: bool, indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert read_json(raw) == json.loads(raw)


@given(VALUES, st.integers(1, 6))
def test_the_depth_is_exact_whatever_stands_in_the_strings(value: Any, allowed: int) -> None:
    raw = json.dumps({"a": value, 'x"]}[{\\': ['"', "\\", "[[[", "]]}", '\\"[']}).encode()
    if depth(json.loads(raw)) <= allowed:
        read_json(raw, allowed)
    elif raw.count(b"[") + raw.count(b"{") > allowed:
        with pytest.raises(MalformedError):
            read_json(raw, allowed)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_never_crash(raw: bytes) -> None:
    with contextlib.suppress(MalformedError, InvalidError):
        read_json(raw)


@given(st.text(alphabet='[]{}",:\\u0dD81eE+-. aN', max_size=80))
def test_any_text_of_json_s_own_characters_is_read_as_the_standard_library_does_or_refused(text: str) -> None:
    try:
        found = read_json(text.encode())
    except TreueError:
        return
    assert found == json.loads(text)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"a":1', "not JSON"),
        (b"[1,]", "not JSON"),
        (b"1 2", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'"a\x00b"', "not JSON"),
        ('{"a":"schön"}'.encode("latin-1"), "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),  # a surrogate, encoded by force
        (b'{"a":1,"b":2,"a":1}', "'a' stands twice"),
        (b'{"x":[{"k":1,"\\u006b":2}]}', "'k' stands twice"),
        (b'{"a":NaN}', "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e999]", "beyond"),
        (b"[1234567890123456789]", "18 digits"),
        (b"9" * 5000, "18 digits"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested"),
        (b'{"metadata":' + b"[" * (DEPTH_MAX) + b"]" * (DEPTH_MAX) + b"}", "nested"),
    ],
)
def test_what_is_no_json_of_ours_is_malformed_and_says_why(raw: bytes, says: str) -> None:
    with pytest.raises(MalformedError, match=says):
        read_json(raw)


@pytest.mark.parametrize("escape", [r"\ud800", r"\uDC00x", r"\u0000", r"\udc00\ud800"])
def test_text_that_nobody_can_store_is_named_by_its_place(escape: str) -> None:
    raw = f'{{"lines":[{{"sku":"a{escape}"}}], "b/~": "{escape}"}}'.encode()
    with pytest.raises(InvalidError) as caught:
        read_json(raw)
    assert [fault.pointer for fault in caught.value.faults] == ["/lines/0/sku", "/b~1~0"]


def test_a_bad_key_is_found_too() -> None:
    with pytest.raises(InvalidError) as caught:
        read_json(rb'{"a":{"\ud800":1}}')
    assert [fault.pointer for fault in caught.value.faults] == ["/a"]


def test_a_whole_pair_of_surrogates_is_a_character() -> None:
    assert read_json(rb'["\ud83d\ude00"]') == ["😀"]


def test_the_deepest_that_is_allowed_is_read() -> None:
    raw = b"[" * DEPTH_MAX + b"1" + b"]" * DEPTH_MAX
    assert depth(read_json(raw)) == DEPTH_MAX


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"17"])
def test_where_an_object_is_expected_nothing_else_will_do(raw: bytes) -> None:
    with pytest.raises(InvalidError) as caught:
        read_object(raw)
    assert caught.value.faults[0].rule == "object"


@pytest.mark.parametrize(
    "raw",
    [
        b'"' + rb"\"" * 500_000,
        b'"' + b"[" * 1_000_000,
        b'["' + b'"["' * 330_000,
        b"[" * 500_000 + b"{" * 500_000,
        b"[" + b"[]," * 330_000 + b"1]",
        b'{"a":' + b"1" * 1_000_000 + b"}",
        b'{"a":0.' + b"1" * 1_000_000 + b"}",
    ],
)
def test_no_megabyte_takes_longer_than_it_must(raw: bytes) -> None:
    start = time.process_time()
    with contextlib.suppress(TreueError):
        read_json(raw)
    assert time.process_time() - start < 3.0  # a quadratic step takes minutes


def test_a_pointer_escapes_its_parts() -> None:
    assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"
