"""Hypothesis strategies for msgspec Structs: any event that its own types allow."""

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect as types

# What JSON over UTF-8 can carry: no lone surrogates.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
INT64 = st.integers(-(2**63), 2**63 - 1)
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


def structs(struct: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Any instance of this Struct."""
    return _of(types.type_info(struct))


def _of(info: types.Type) -> st.SearchStrategy[Any]:
    made: st.SearchStrategy[Any]
    match info:
        case types.Metadata():
            made = _of(info.type)
        case types.StructType():
            made = st.builds(info.cls, **{field.name: _of(field.type) for field in info.fields})
        case types.UnionType():
            made = st.one_of(*(_of(branch) for branch in info.types))
        case types.LiteralType():
            made = st.sampled_from(info.values)
        case types.VarTupleType():
            made = st.lists(_of(info.item_type), max_size=4).map(tuple)
        case types.DictType():
            made = st.dictionaries(_of(info.key_type), _of(info.value_type), max_size=4)
        case _:
            made = _SCALARS[type(info)]
    return made


_SCALARS: dict[type[types.Type], st.SearchStrategy[Any]] = {
    types.StrType: TEXTS,
    types.IntType: INT64,
    types.BoolType: st.booleans(),
    types.NoneType: st.none(),
    types.UUIDType: st.builds(uuid.UUID, int=st.integers(0, 2**128 - 1)),
    types.DateTimeType: INSTANTS,
    types.DateType: st.dates(),
}
