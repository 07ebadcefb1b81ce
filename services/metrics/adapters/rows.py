"""Rows as asyncpg takes them for `unnest`: one list per column."""

from collections.abc import Iterable, Sequence
from typing import Any


def lists(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """The rows' columns; at least one row is needed."""
    return [list(column) for column in zip(*rows, strict=True)]
