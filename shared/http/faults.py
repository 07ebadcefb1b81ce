"""Pydantic's and FastAPI's complaints in our words: `{pointer, rule, detail, value?}` for each."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.errors import Fault
from shared.http.errors import PlacedFault
from shared.http.json import pointer

_PLACES = frozenset({"query", "path", "header", "cookie"})
_WORDS: Final[Mapping[str, str]] = {
    "missing": "This must be there.",
    "extra_forbidden": "This is not known here.",
}
_should = re.compile(r"^(?:Input|String|List|Dictionary|Value) should ").sub
_after_validation = re.compile(r" after validation, not .*$").sub


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """The faults of a body, from pydantic's list of errors."""
    return [Fault(pointer(error["loc"]), error["type"], _said(error), _value(error)) for error in errors]


def request_faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """The faults of a query, path or header, from FastAPI's list of errors, whose place comes first in `loc`."""
    return [_placed(error) for error in errors]


def _placed(error: Mapping[str, Any]) -> Fault:
    place, *rest = error["loc"]
    if place not in _PLACES:
        return Fault(pointer(rest), error["type"], _said(error), _value(error))
    return PlacedFault(pointer(rest), error["type"], _said(error), _value(error), place)


def _said(error: Mapping[str, Any]) -> str:
    """What is wrong, as we say it everywhere: a sentence that begins with Must."""
    known = _WORDS.get(error["type"])
    if known is not None:
        return known
    said = _after_validation("", _should("Must ", error["msg"].removeprefix("Value error, ")))
    return said[:1].upper() + said[1:] + ("" if said.endswith((".", "!", "?")) else ".")


def _value(error: Mapping[str, Any]) -> Any:
    """The offending value; a missing one has none, and a container would say too much."""
    value = error.get("input")
    return None if error["type"] == "missing" or isinstance(value, dict | list) else value
