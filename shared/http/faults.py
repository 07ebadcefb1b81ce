"""Pydantic's and FastAPI's complaints in our words: `{pointer, rule, detail, value?}` for each."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic_core.core_schema import ErrorType

from shared.errors import Fault
from shared.http.errors import PlacedFault
from shared.http.json import pointer

_PLACES = frozenset({"query", "path", "header", "cookie"})
# Our rules, and what pydantic calls the ways to break them. Ours are stable, whatever the library does with its own.
_NAMES: Final[Mapping[str, Sequence[str]]] = {
    "required": ("missing",),
    "unknown": ("extra_forbidden",),
    "type": (
        "string_type", "bool_type", "bool_parsing", "int_type", "int_parsing", "int_from_float", "list_type",
        "dict_type", "invalid_key", "model_type", "model_attributes_type",
    ),
    "length": ("string_too_short", "string_too_long", "too_short", "too_long"),
    "range": ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "int_parsing_size"),
    "pattern": ("string_pattern_mismatch",),
    "choice": ("literal_error", "enum"),
    "text": ("string_unicode",),
    "uuid": ("uuid_type", "uuid_parsing", "uuid_version"),
    "date": ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
    "instant": (
        "datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid", "timezone_aware",
    ),
}  # fmt: skip
RULES: Final[Mapping[str, str]] = {name: rule for rule, names in _NAMES.items() for name in names}
# What else the library may say, above all that a validator of ours has raised ValueError.
OTHER_RULE: Final = "value"
_OF_THE_LIBRARY: Final = frozenset(get_args(ErrorType))
_WORDS: Final[Mapping[str, str]] = {
    "missing": "This must be there.",
    "extra_forbidden": "This is not known here.",
}
_should = re.compile(r"^(?:Input|String|List|Dictionary|Value) should ").sub
_after_validation = re.compile(r" after validation, not .*$").sub


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """The faults of a body, from pydantic's list of errors."""
    return [Fault(pointer(error["loc"]), rule_of(error["type"]), _said(error), _value(error)) for error in errors]


def request_faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """The faults of a query, path or header, from FastAPI's list of errors, whose place comes first in `loc`."""
    return [_placed(error) for error in errors]


def rule_of(name: str) -> str:
    """Our name of a rule: a library's becomes ours, and what a validator of ours has named stays as it is."""
    return RULES.get(name) or (OTHER_RULE if name in _OF_THE_LIBRARY else name)


def _placed(error: Mapping[str, Any]) -> Fault:
    place, *rest = error["loc"]
    about = pointer(rest), rule_of(error["type"]), _said(error), _value(error)
    return PlacedFault(*about, place) if place in _PLACES else Fault(*about)


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
