"""The columns of a batch, for `unnest`: each travels as one text, PostgreSQL's own form of an array.

    FROM unnest($1::text::text[], $2::text::bigint[])       with of(rows, texts, numbers)

asyncpg asks of every element of a list whether it is a list itself: 0.2 to 0.3 us each, and a batch has some twenty
elements for every event. As text an element costs a tenth of that here, and no more over there.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

Kind = Callable[[Sequence[Any]], str]


def of(rows: Iterable[Sequence[Any]], *kinds: Kind) -> list[str]:
    """Rows as columns, of these kinds; at least one row is needed."""
    return [kind(column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]


def texts(values: Sequence[str]) -> str:
    """For `::text::text[]`."""
    inside = '","'.join(values)
    if "\\" in inside or inside.count('"') != 2 * max(len(values) - 1, 0):
        inside = '","'.join(value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return f'{{"{inside}"}}' if values else "{}"


def numbers(values: Iterable[int]) -> str:
    """For `::text::bigint[]` and its smaller kin."""
    return f"{{{','.join(map(str, values))}}}"


def times(values: Iterable[date | None]) -> str:
    """For `::text::date[]` and `::text::timestamptz[]`. Cheap for None and for days, not for instants (1 us)."""
    return f"{{{','.join('NULL' if value is None else value.isoformat() for value in values)}}}"


def ids(values: Iterable[UUID]) -> str:
    """For `::text::uuid[]`."""
    return f"{{{','.join(map(str, values))}}}"
