"""What may be changed about an event that has been published, and what is caught."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.events import registry, schemas
from shared.events.compatibility import breaks
from shared.events.contract import Event
from shared.events.json_schema import name_of, schema_of
from shared.events.purchases import PurchaseCompleted

Change = Callable[[dict[str, Any]], object]
PUBLISHED = schema_of(PurchaseCompleted)


def _reordered(schema: dict[str, Any]) -> None:
    schema["properties"] = dict(reversed(schema["properties"].items()))


def _renamed(schema: dict[str, Any]) -> None:
    schema["properties"]["shop"] = schema["properties"].pop("channel")


def _fields(schema: dict[str, Any]) -> Any:
    return schema["properties"]


def _line(schema: dict[str, Any]) -> Any:
    return schema["$defs"]["PurchaseLine"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: _fields(s).pop("brand"), "/brand is gone"),
        (_renamed, "/channel is gone"),
        (lambda s: s["required"].append("channel"), "/channel is required now"),
        (lambda s: (_fields(s).update(shop={"type": "string"}), s["required"].append("shop")), "/shop is required now"),
        (lambda s: s["required"].remove("currency"), "/currency is no longer required"),
        (lambda s: _fields(s)["currency"].update(enum=["EUR"]), "/currency takes only ['EUR'] now"),
        (lambda s: _fields(s)["currency"].update(minLength=3), "/currency: minLength is 3"),
        (lambda s: _fields(s)["total_minor"].update(minimum=0), "/total_minor: minimum is 0"),
        (lambda s: _fields(s)["total_minor"].update(maximum=10), "/total_minor: maximum is 10"),
        (lambda s: _fields(s)["total_minor"].update(type="string"), "/total_minor: type is 'string' for 'integer'"),
        (lambda s: _fields(s)["channel"].update(anyOf=[{"type": "string"}]), "/channel: type is 'string' for 'null'"),
        (lambda s: _fields(s)["channel"].update(default="web"), "/channel has another default: 'web' for None"),
        (lambda s: _fields(s)["order_id"].update(format="uuid"), "/order_id: format is 'uuid' for None"),
        (
            lambda s: _fields(s)["metadata"].update(additionalProperties=False),
            "/metadata takes nothing unknown any more",
        ),
        (lambda s: _line(s)["required"].append("brand"), "/lines/*/brand is required now"),
        (lambda s: _line(s)["properties"].pop("sku"), "/lines/*/sku is gone"),
        (_reordered, "/: the fields stand in another order"),
    ],
)
def test_a_change_that_breaks_somebody_is_caught(change: Change, sentence: str) -> None:
    changed = copy.deepcopy(PUBLISHED)
    change(changed)
    assert sentence in breaks(PUBLISHED, changed)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: _fields(s).update(gift={"type": "boolean", "default": False}),
        lambda s: _fields(s)["currency"].update(description="ISO 4217"),
        lambda s: _fields(s)["channel"]["anyOf"].append({"type": "integer"}),
        lambda s: _fields(s)["total_minor"].pop("maximum"),
        lambda s: _line(s)["properties"].update(weight={"type": "integer", "default": 0}),
    ],
)
def test_a_change_that_breaks_nobody_is_allowed(change: Change) -> None:
    changed = copy.deepcopy(PUBLISHED)
    change(changed)
    assert breaks(PUBLISHED, changed) == []


def test_a_wider_list_of_values_is_allowed_and_a_narrower_one_is_not() -> None:
    few, many = ({"properties": {"kind": {"enum": values}}} for values in (["nps"], ["nps", "ces"]))
    assert breaks(few, many) == []
    assert breaks(many, few) == ["/kind takes only ['nps'] now"]


@pytest.mark.parametrize("event", registry.EVENTS, ids=name_of)
def test_the_code_breaks_nothing_that_is_published(event: type[Event]) -> None:
    assert breaks(schema_of(event), schema_of(event)) == []
    assert [fault for fault in schemas.broken() if fault.startswith(name_of(event))] == []


def test_the_command_does_not_write_over_what_it_would_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schemas, "FOLDER", tmp_path)
    assert schemas.main() == 0
    published = tmp_path / "purchase.completed.v1.schema.json"
    document = json.loads(published.read_text())
    document["properties"]["till"] = {"type": "string"}
    published.write_text(json.dumps(document))
    assert schemas.main() == 1
    assert json.loads(published.read_text()) == document
    assert "purchase.completed.v1/till is gone" in capsys.readouterr().err


def test_the_command_never_writes_over_a_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "FOLDER", tmp_path)
    schemas.main()
    fixture = next(tmp_path.glob("fixtures/*/whole.json"))
    fixture.write_text("{}")
    schemas.main()
    assert fixture.read_text() == "{}"
