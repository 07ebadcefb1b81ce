"""Every rule that an answer names is ours: no model of any service can break one that only pydantic has a name for."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic_core.core_schema import ErrorType

from services.gateway.entrypoints.described import described_router
from shared.http.body import JsonBody
from shared.http.faults import OTHER_RULE, RULES, rule_of
from tests.support.applications import NAMES, applications
from tests.support.gateway import KeyPair

LIBRARY: Final = frozenset(get_args(ErrorType))
# What can be wrong with a value, by the type of its schema, and by what else the schema asks for.
_BY_TYPE: Final[Mapping[str, Iterable[str]]] = {
    "str": ("string_type", "string_unicode"),
    "int": ("int_type", "int_parsing", "int_parsing_size", "int_from_float"),
    "bool": ("bool_type", "bool_parsing"),
    "uuid": ("uuid_type", "uuid_parsing", "uuid_version"),
    "date": ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
    "datetime": ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
    "literal": ("literal_error",),
    "enum": ("enum",),
    "list": ("list_type",),
    "dict": ("dict_type", "invalid_key"),
    "model": ("model_type", "model_attributes_type"),
    "model-fields": ("missing", "extra_forbidden"),
} | dict.fromkeys(("model-field", "default", "nullable", "any", "no-info", "with-info"), ())
_VALIDATORS: Final = ("function-after", "function-before", "function-wrap", "function-plain")
_BY_WISH: Final[Mapping[tuple[str, str], str]] = {
    ("str", "min_length"): "string_too_short",
    ("str", "max_length"): "string_too_long",
    ("str", "pattern"): "string_pattern_mismatch",
    ("int", "ge"): "greater_than_equal",
    ("int", "gt"): "greater_than",
    ("int", "le"): "less_than_equal",
    ("int", "lt"): "less_than",
    ("list", "min_length"): "too_short",
    ("list", "max_length"): "too_long",
    ("dict", "max_length"): "too_long",
    ("datetime", "tz_constraint"): "timezone_aware",
}
_WISHES: Final = frozenset(wish for _, wish in _BY_WISH)


def possible(schema: Any) -> Iterator[str]:
    """What pydantic may call wrong in a value of this core schema. A validator of ours names its rule itself."""
    if isinstance(schema, list | tuple):
        for inner in schema:
            yield from possible(inner)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if isinstance(kind, str):
        yield from () if kind in _VALIDATORS else _BY_TYPE[kind]
        yield from (_BY_WISH[kind, wish] for wish in _WISHES & schema.keys())
    for name, inner in schema.items():
        if name not in ("metadata", "serialization"):
            yield from possible(inner)


def schemas(dependant: Dependant) -> Iterator[Any]:
    """The schemas of all that a route takes."""
    if isinstance(dependant.call, JsonBody):
        yield dependant.call.model.__pydantic_core_schema__
    for field in (*dependant.query_params, *dependant.path_params, *dependant.header_params):
        yield field._type_adapter.core_schema
    for inner in dependant.dependencies:
        yield from schemas(inner)


@pytest.mark.parametrize("name", NAMES)
async def test_every_complaint_about_what_a_service_takes_has_a_rule_of_ours(name: str) -> None:
    routes = applications(KeyPair.fresh())[name].api.routes
    if name == "gateway":
        routes = [*routes, *described_router().routes]
    found: set[str] = set()
    for route in iter_route_contexts(routes):
        for schema in schemas(route.dependant):
            found.update(possible(schema))
    assert {"string_type", "missing"} <= found or name == "notifications"
    assert not found - RULES.keys(), "teach shared.http.faults a rule for these"


def test_no_name_of_the_library_passes() -> None:
    passed = {name for name in LIBRARY if rule_of(name) in LIBRARY}
    assert not passed
    assert {rule_of(name) for name in LIBRARY} == {*RULES.values(), OTHER_RULE}
    assert not RULES.keys() - LIBRARY, "the library has no such names any more"
    assert rule_of("looks_like_email") == "looks_like_email"
