"""A key that stands twice is refused, however it is written: two readers could understand two different bodies."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.ingest.kinds import PURCHASES
from services.gateway.ingest.reading import Reader
from shared.errors import MalformedError, TreueError
from tests.unit.gateway.bodies import GOOD, reception

READERS = {kind.name: Reader(kind) for kind, _ in GOOD.values()}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ['"', '""', "\\", '\\"', "null", "a"]
)


class Writer:
    """Writes JSON as somebody who wants to be misunderstood might: any character may be escaped, and one key of one
    object stands a second time."""

    def __init__(self, data: st.DataObject, twice: int) -> None:
        self._data, self._twice, self._objects = data, twice, 0

    def write(self, value: Any) -> str:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return "[" + ",".join(self.write(item) for item in value) + "]"
        return self._text(value) if isinstance(value, str) else json.dumps(value)

    def _object(self, value: dict[str, Any]) -> str:
        number, self._objects = self._objects, self._objects + 1
        members = [f"{self._text(key)}:{self.write(inner)}" for key, inner in value.items()]
        if number == self._twice and value:
            key = self._data.draw(st.sampled_from(sorted(value)))
            again = self._data.draw(st.sampled_from([value[key], None, "x", 1, ""]) | TEXT)
            place = self._data.draw(st.integers(0, len(members)))
            members.insert(place, f"{self._text(key)}:{self.write(again)}")
        return "{" + ",".join(members) + "}"

    def _text(self, text: str) -> str:
        written = ""
        for character in text:
            must = character in '"\\' or ord(character) < 32
            if ord(character) < 0x10000 and (must or self._data.draw(st.integers(0, 30)) == 0):
                short = {'"': '\\"', "\\": "\\\\"}.get(character)
                hexed = f"\\u{ord(character):04x}"
                written += self._data.draw(st.sampled_from([short, hexed])) if short else hexed
            else:
                written += character
        return f'"{written}"'


def objects_in(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(objects_in, value.values()))
    return sum(map(objects_in, value)) if isinstance(value, list) else 0


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_alone(data: st.DataObject) -> None:
    kind, body = GOOD[data.draw(st.sampled_from(sorted(GOOD)))]
    body = body | _texts(data, body)
    raw = Writer(data, data.draw(st.integers(0, objects_in(body) - 1))).write(body).encode()
    with pytest.raises(TreueError):
        READERS[kind.name].one(raw, reception())


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_in_a_batch(data: st.DataObject) -> None:
    kind, body = GOOD[data.draw(st.sampled_from(sorted(GOOD)))]
    batch = {kind.name: [body, body | _texts(data, body)]}
    twice = data.draw(st.integers(0, objects_in(batch) - 1))
    raw = Writer(data, twice).write(batch).encode()
    try:
        found = list(READERS[kind.name].many(raw, reception()))
    except TreueError:
        assert twice == 0 or b"\\u00" in raw
        return
    assert twice > 0
    assert any(isinstance(item, TreueError) for item in found)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_nothing_twice_means_nothing_refused(data: st.DataObject) -> None:
    """The other direction: escapes alone do no harm."""
    kind, body = GOOD[data.draw(st.sampled_from(sorted(GOOD)))]
    raw = Writer(data, twice=-1).write(body).encode()
    assert (
        READERS[kind.name].one(raw, reception())[1] == READERS[kind.name].one(json.dumps(body).encode(), reception())[1]
    )


def test_the_list_of_a_batch_twice() -> None:
    body = json.dumps(GOOD["purchase"][1])
    raw = f'{{"purchases":[{body}],"purchases":[{body},3]}}'.encode()
    with pytest.raises(MalformedError):
        list(Reader(PURCHASES).many(raw, reception()))


def _texts(data: st.DataObject, body: dict[str, Any]) -> dict[str, Any]:
    """Free texts with quotes and backslashes in them, where the body has room for them."""
    return {name: data.draw(TEXT) for name in ("comment", "reason") if name in body}
