"""Rows are compared as multisets, both ways round; the server does it, so that memory stays flat."""

from typing import Any

import asyncpg

from deploy.rebuild.folded import folded, selected
from deploy.rebuild.frozen import LIVE
from shared.events.contract import Topic

_SHOWN_MAX = 5
# No fold can read what compaction has taken: newer events of the same keys say all that counts.
_COMPACTED = [topic.value for topic in Topic if topic.compacted]
_FORGET_COMPACTED = """
    DELETE FROM {rebuilt}.{live}inbox l WHERE topic = any($1)
        AND NOT EXISTS (SELECT FROM {rebuilt}.inbox i WHERE (i.event_id, i.tenant) = (l.event_id, l.tenant))
"""


async def compare(database: asyncpg.Connection, service: str, rebuilt: str, tenant: str | None) -> list[dict[str, Any]]:
    """For each table how many rows there are and how many differ, with the first of them; of one tenant or, without
    one, of all."""
    await database.execute(_FORGET_COMPACTED.format(rebuilt=rebuilt, live=LIVE), _COMPACTED)
    found = []
    for table, columns in folded(service).items():
        live, again = (
            f"SELECT * FROM {rows} WHERE $1::text IS NULL OR tenant = $1"  # noqa: S608 - as below
            for rows in (f"{rebuilt}.{LIVE}{table}", f"(SELECT {selected(columns, rebuilt)}) AS again")
        )
        # Built from our own constants and a schema's name that was checked.
        rows = await database.fetch(
            f"""
            SELECT *, count(*) OVER () AS of FROM (
                (SELECT 'only live' AS where_, * FROM ({live} EXCEPT ALL {again}) AS a)
                UNION ALL (SELECT 'only rebuilt', * FROM ({again} EXCEPT ALL {live}) AS b)
            ) AS differing LIMIT {_SHOWN_MAX}
            """,  # noqa: S608
            tenant,
        )
        count = await database.fetchval(f"SELECT count(*) FROM ({again}) AS again", tenant)  # noqa: S608
        shown = [{name: str(value) for name, value in row.items() if name != "of"} for row in rows]
        found.append({"table": table, "rows": count, "differing": rows[0]["of"] if rows else 0, "first": shown})
    return found
