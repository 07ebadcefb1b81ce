"""One bad item never blocks a batch, whatever is wrong with its bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ingest.kinds import PURCHASES
from services.gateway.ingest.models import BATCH_MAX
from services.gateway.ingest.reading import Reader
from services.gateway.ingest.splitting import split_items
from shared.errors import InvalidError, MalformedError, TreueError
from tests.unit.gateway.bodies import GOOD, reception

GOOD_ITEM = json.dumps(GOOD["purchase"][1]).encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def item(**change: bytes) -> bytes:
    """A purchase with another value, as bytes, in a member."""
    body = GOOD["purchase"][1]
    members = [b"%b:%b" % (json.dumps(k).encode(), change.get(k, json.dumps(v).encode())) for k, v in body.items()]
    return b"{" + b",".join(members) + b"}"


BAD_ITEMS = {
    "JavaScript's cut emoji": item(channel=rb'"shop \ud83d"'),
    "NaN": item(metadata=b'{"a":NaN}'),
    "Infinity": item(metadata=b'{"a":-Infinity}'),
    "a number beyond a double": item(metadata=b'{"a":1e999}'),
    "an integer without end": item(metadata=b'{"a":%b}' % (b"9" * 400)),
    "no UTF-8": item(channel=b'"\xff\xfe"'),
    "half a character": item(channel=b'"\xc3"'),
    "a key twice": item(channel=b'"a","channel":"b"'),
    "NUL": item(channel=rb'"\u0000"'),
    "a raw line end in a text": item(channel=b'"a\nb"'),
    "too deep": item(metadata=b'{"a":%b%b}' % (b"[" * 500, b"]" * 500)),
    "no comma": item(channel=b'"a" "b"'),
    "single quotes": b"{'order_id':1}",
    "nothing": b"",
    "a comment": item(channel=b'"a" // "why"'),
    "brackets and quotes in a text": item(channel=rb'"]}\",[{ \ud83d"'),
}


@pytest.mark.parametrize("name", BAD_ITEMS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_other_items_are_taken(name: str, place: int) -> None:
    items = [GOOD_ITEM, GOOD_ITEM]
    items.insert(place, BAD_ITEMS[name])
    found = list(Reader(PURCHASES).many(b'{"purchases":[%b]}' % b",".join(items), reception()))
    assert [isinstance(one, TreueError) for one in found] == [index == place for index in range(3)]
    error = found[place]
    assert isinstance(error, MalformedError | InvalidError)
    assert all(fault.pointer.startswith(f"/purchases/{place}") for fault in error.faults)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"purchases":[%b',
        b'{"purchases":[%b]',
        b'{"purchases":[%b]}}',
        b'{"purchases":[%b],"more":[NaN]}',
        b'{"purchases":[%b,{"a":[}]}',
        b'{"purchases":[%b,"a]}',
        b'{"returns":[%b,NaN]}',
        b"[%b,NaN]",
    ],
)
def test_what_is_no_batch_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(TreueError):
        list(Reader(PURCHASES).many(raw % GOOD_ITEM, reception()))


def test_too_many_items_are_refused_whole_whatever_is_in_them() -> None:
    with pytest.raises(InvalidError) as refused:
        list(Reader(PURCHASES).many(b'{"purchases":[%b]}' % b",".join([b"NaN"] * (BATCH_MAX + 1)), reception()))
    assert [(fault.pointer, fault.rule, fault.value) for fault in refused.value.faults] == [
        ("/purchases", "length", BATCH_MAX + 1)
    ]


@given(items=st.lists(JSON, max_size=5), indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_right_json_is_split_as_a_parser_splits_it(items: list[object], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps({"purchases": items}, indent=indent, ensure_ascii=ascii_only)
    found = split_items(text.encode("utf-8", "surrogatepass"), "purchases")
    assert found is not None
    assert [json.loads(one.decode("utf-8", "surrogatepass")) for one in found] == items


@given(raw=st.binary(max_size=60))
def test_any_bytes_are_split_or_not_and_nothing_falls_over(raw: bytes) -> None:
    for whole in (raw, b'{"purchases":[%b]}' % raw, b'{"purchases":[%b' % raw):
        found = split_items(whole, "purchases")
        assert found is None or all(one in whole for one in found)
