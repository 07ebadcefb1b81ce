"""The JSON Schema of an event, from the Struct that defines it: what is in the code is what is documented."""

import inspect
import sys
from typing import Any

import msgspec

from shared.events import registry
from shared.events.contract import Event
from shared.events.examples import EXAMPLES

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def name_of(event: type[Event]) -> str:
    """`purchase.completed.v1`: how files and messages are called."""
    return f"{event.TYPE}.v{event.VERSION}"


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The schema of this event's JSON; its `$id` is what travels in the header `ce_dataschema`."""
    _, parts = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    own = _described(event, parts.pop(event.__name__))
    identity = {"$schema": _DIALECT, "$id": f"urn:treue:event:{event.TYPE}:{event.VERSION}"}
    return _as_json(identity | own | ({"$defs": parts} if parts else {}))


def components(ref_template: str) -> dict[str, Any]:
    """The schemas of all events and their parts, by the name of the class."""
    _, found = msgspec.json.schema_components(registry.EVENTS, ref_template=ref_template)
    return _as_json(found | {event.__name__: _described(event, found[event.__name__]) for event in registry.EVENTS})


def examples_of(event: type[Event]) -> list[dict[str, Any]]:
    """The examples of this type as they travel."""
    return [msgspec.json.decode(registry.encode(example)) for example in EXAMPLES if type(example) is event]


def family(event: type[Event]) -> str:
    """What the module of the event says about all that stand in it."""
    return inspect.getdoc(sys.modules[event.__module__]) or ""


def _as_json(document: dict[str, Any]) -> dict[str, Any]:
    return msgspec.json.decode(msgspec.json.encode(document), type=dict[str, Any])  # a default of () is [] there


def _described(event: type[Event], schema: dict[str, Any]) -> dict[str, Any]:
    _, _, rules = family(event).partition("\n\n")
    told = "\n\n".join(filter(None, (inspect.getdoc(event), rules)))
    named = {"title": event.TYPE, "description": told}
    return named | {key: value for key, value in schema.items() if key not in named} | {"examples": examples_of(event)}
