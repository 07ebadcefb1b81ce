"""docs/events is what the code says, and says what travels."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from shared.events import registry
from shared.events.contract import Event
from shared.events.examples import EXAMPLES
from shared.events.json_schema import name_of
from shared.events.schemas import FOLDER, documents
from tests.support.structs import structs

STALE = "docs/events is older than shared/events: run `make schemas` and commit what it writes"
EVENTS = st.sampled_from(registry.EVENTS).flatmap(structs)


def _validator(event: type[Event]) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{name_of(event)}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


VALIDATORS = {
    event: _validator(event) for event in registry.EVENTS if (FOLDER / f"{name_of(event)}.schema.json").exists()
}


@pytest.mark.parametrize("name", sorted(documents()))
def test_generated_files_are_fresh(name: str) -> None:
    standing = FOLDER / name
    assert standing.exists(), STALE
    assert standing.read_text() == documents()[name], STALE


def test_no_schema_is_left_of_an_event_that_is_gone() -> None:
    assert {path.name for path in FOLDER.glob("*.schema.json")} == {
        name for name in documents() if name.endswith(".json")
    }


def test_every_event_has_an_example_and_a_description() -> None:
    assert {type(example) for example in EXAMPLES} == set(registry.EVENTS), "shared/events/examples.py lacks an event"
    for event in registry.EVENTS:
        assert VALIDATORS[event].schema["description"]  # type: ignore[index]


def test_an_example_shows_every_field() -> None:
    for example in EXAMPLES:
        shown = json.loads(registry.encode(example))
        default = {"debt": 0, "pending": 0, "lines": ()}  # zero is the right example of some
        missing = set(example.__struct_fields__) - shown.keys() - default.keys()
        assert not missing, f"{example.TYPE}: {missing}"


@given(EVENTS)
def test_every_event_that_can_be_sent_fits_its_schema(event: Event) -> None:
    VALIDATORS[type(event)].validate(json.loads(registry.encode(event)))


@given(EVENTS)
def test_every_event_reads_back_as_it_was_written(event: Event) -> None:
    data = registry.encode(event)
    read = registry.decode(event.TYPE, event.VERSION, data)
    assert read == event
    assert registry.encode(read) == data


@given(
    EVENTS, st.dictionaries(st.text(min_size=1).map("x_".__add__), st.integers() | st.text() | st.none(), min_size=1)
)
def test_fields_of_a_later_release_are_ignored(event: Event, later: dict[str, Any]) -> None:
    data = json.dumps(json.loads(registry.encode(event)) | later).encode()
    assert registry.decode(event.TYPE, event.VERSION, data) == event


@pytest.mark.parametrize("event", registry.EVENTS, ids=name_of)
@pytest.mark.parametrize("time", ["2026-03-14T12:00:00", "2026-03-14", "", 1773489600, None])
def test_code_and_schema_refuse_a_time_that_names_no_instant(event: type[Event], time: object) -> None:
    example = next(example for example in EXAMPLES if type(example) is event)
    data = json.loads(registry.encode(example)) | {"occurred_at": time}
    assert not VALIDATORS[event].is_valid(data)
    with pytest.raises(ValueError, match="occurred_at"):
        registry.decode(event.TYPE, event.VERSION, json.dumps(data).encode())


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30, 1.5, "1", None, True])
def test_code_and_schema_refuse_a_number_that_no_column_takes(value: object) -> None:
    example = next(example for example in EXAMPLES if example.TYPE == "purchase.completed")
    data = json.loads(registry.encode(example)) | {"total_minor": value}
    assert not VALIDATORS[type(example)].is_valid(data)
    with pytest.raises(ValueError, match="total_minor"):
        registry.decode("purchase.completed", 1, json.dumps(data).encode())
