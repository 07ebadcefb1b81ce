"""Bytes that were written once must be read for ever, to the same values, and written again to the same bytes.

A fixture is never changed and never deleted. Whoever comes here because it fails has changed what events mean.
"""

import json
from hashlib import blake2b
from pathlib import Path

import pytest

from shared.events import registry
from shared.events.contract import Event
from shared.events.json_schema import name_of
from shared.events.schemas import FOLDER, values

FIXTURES = sorted(path for path in FOLDER.glob("fixtures/*/*.json") if not path.name.endswith(".golden.json"))


def _read(fixture: Path) -> Event:
    event_type, _, version = fixture.parent.name.rpartition(".v")
    return registry.decode(event_type, int(version), fixture.read_bytes())


def _golden(fixture: Path) -> dict[str, object]:
    golden: dict[str, object] = json.loads(fixture.with_suffix(".golden.json").read_text())
    return golden


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_old_bytes_read_to_the_same_values(fixture: Path) -> None:
    read, expected = json.loads(json.dumps(values(_read(fixture)))), _golden(fixture)["values"]
    assert isinstance(expected, dict)
    assert {name: read[name] for name in expected} == expected
    assert all(name in expected or read[name] in (None, 0, False, [], {}, "") for name in read), (
        "a new field needs an empty default"
    )


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_same_event_is_written_to_the_same_bytes(fixture: Path) -> None:
    """The hash of the body tells a repetition from a conflict, so it must survive every release."""
    data = registry.encode(_read(fixture))
    assert data == fixture.read_bytes()
    assert blake2b(data, digest_size=16).hexdigest() == _golden(fixture)["body_hash"]


def test_every_event_has_its_fixtures() -> None:
    wanted = {f"{name_of(event)}/{which}" for event in registry.EVENTS for which in ("least", "whole")}
    assert wanted <= {f"{path.parent.name}/{path.stem}" for path in FIXTURES}, "run `make schemas` and commit"
