"""A check is a query for rows that must not exist, and how many rows it looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

_SHOWN_MAX = 5


@dataclass(frozen=True)
class Check:
    """`differing` selects what is wrong, with the tenant as its first column (empty where there is none); `counted`
    selects how many things were looked at, and, where it has a second column, how many had to be left out for now. Both
    take the tenant to look at as $1, or null for all. What a check finds whose `is_drift` is False somebody should see,
    but it is not wrong."""

    service: str
    name: str
    description: str
    differing: str
    counted: str
    is_drift: bool = True


@dataclass(frozen=True)
class Finding:
    """What a check found: how many rows differ, or are only `named` because they are no drift, and the first of them;
    or why it could not look."""

    check: Check
    counted: int
    differing: int
    rows: Sequence[dict[str, Any]]
    left_out: int = 0
    named: int = 0
    not_checked: str | None = None

    @property
    def is_right(self) -> bool:
        """It looked, and nothing differs."""
        return not self.differing and self.not_checked is None

    def as_json(self) -> dict[str, Any]:
        return {
            "service": self.check.service,
            "check": self.check.name,
            "description": self.check.description,
            "counted": self.counted,
            "left_out": self.left_out,
            "not_checked": self.not_checked,
            "differing": self.differing,
            "named": self.named,
            "rows": [{name: str(value) for name, value in row.items()} for row in self.rows],
        }


async def run(connection: asyncpg.Connection, check: Check, tenant: str | None) -> Finding:
    """Run a check. The rows stay in the server: a temporary count, and the first few of them, come over."""
    counted, left_out = (*await connection.fetchrow(check.counted, tenant), 0)[:2]
    # The queries are our own; the only value, the tenant, is a parameter.
    rows = await connection.fetch(
        f"SELECT *, count(*) OVER () AS of FROM ({check.differing}) AS found LIMIT {_SHOWN_MAX}",  # noqa: S608
        tenant,
    )
    shown = [{name: value for name, value in row.items() if name != "of"} for row in rows]
    found = int(rows[0]["of"]) if rows else 0
    differing, named = (found, 0) if check.is_drift else (0, found)
    return Finding(check, int(counted or 0), differing, shown, left_out, named)
