"""What a fold of the same events must give again: everything but the instants of writing and the ids that were minted.

Rows are compared as multisets, both ways round; the server does it, so that memory stays flat.
"""

from typing import Any

import asyncpg

_SHOWN_MAX = 5

# By service and table: the columns, or expressions, that depend on nothing but the events.
FOLDED: dict[str, dict[str, str]] = {
    "points": {
        "entry": "tenant, customer_id, kind, points, debt, event_id, order_id, occurred_at, programme_version, reason,"
        " detail FROM {s}.entry WHERE kind <> 'activated'",
        "wallet": "tenant, customer_id, posted + pending AS points, held, debt, lifetime_earned FROM {s}.wallet",
        "lot": "tenant, customer_id, id, amount, remaining, occurred_at, activate_at, expires_at FROM {s}.lot",
        "allocation": "tenant, customer_id, lot_id, sum(points) FROM {s}.allocation"
        " GROUP BY tenant, customer_id, lot_id",
        "purchase_order": "tenant, order_id, event_id, customer_id, currency, total_minor, occurred_at,"
        " programme_version, points, returned_minor, clawed_points, cancelled FROM {s}.purchase_order",
        "order_return": "tenant, order_id, event_id, minor, points, cancels, occurred_at FROM {s}.order_return",
        # Whether a return came before its purchase depends on how the batches fell; what was decided of it does not.
        "inbox": "i.tenant, i.event_id, i.body_hash, coalesce(w.outcome, i.outcome),"
        " CASE WHEN w.event_id IS NULL THEN i.reason ELSE w.reason END, i.topic, i.part, i.off"
        " FROM {s}.inbox i LEFT JOIN {s}.waiting_return w ON (w.event_id, w.tenant) = (i.event_id, i.tenant)",
    },
    "metrics": {
        "shop_order": "tenant, order_id, customer, occurred_at, business_date, gross_minor, refunded_minor, cancelled,"
        " event_id FROM {s}.shop_order",
        "refund": "* FROM {s}.refund",
        "customer_day": "* FROM {s}.customer_day",
        "customer_state": "* FROM {s}.customer_state",
        "day_total": "tenant, business_date, guest, sum(orders), sum(gross_minor), sum(refunded_minor)"
        " FROM {s}.day_total GROUP BY tenant, business_date, guest",
        "feedback": "* FROM {s}.feedback",
    },
    "notifications": {
        "profile": "tenant, customer_id, state, email, name, locale, time_zone, kind FROM {s}.profile",
        "message": "tenant, customer_id, cause_id, origin_id, template, channel, purpose FROM {s}.message",
    },
}
# Whatever the service: what became of each event.
_INBOX = "tenant, event_id, body_hash, outcome, reason, topic, part, off FROM {s}.inbox"


async def compare(database: asyncpg.Connection, service: str, rebuilt: str) -> list[dict[str, Any]]:
    """For each table how many rows there are and how many differ, with the first of them."""
    found = []
    for table, columns in {"inbox": _INBOX, **FOLDED[service]}.items():
        live, again = (f"SELECT {columns.format(s=schema)}" for schema in (service, rebuilt))
        # Built from our own constants and a schema's name that was checked.
        rows = await database.fetch(
            f"""
            SELECT *, count(*) OVER () AS of FROM (
                (SELECT 'only live' AS where_, * FROM ({live} EXCEPT ALL {again}) AS a)
                UNION ALL (SELECT 'only rebuilt', * FROM ({again} EXCEPT ALL {live}) AS b)
            ) AS differing LIMIT {_SHOWN_MAX}
            """  # noqa: S608
        )
        count = await database.fetchval(f"SELECT count(*) FROM {again.partition(' FROM ')[2].partition(' ')[0]}")  # noqa: S608
        shown = [{name: str(value) for name, value in row.items() if name != "of"} for row in rows]
        found.append({"table": table, "rows": count, "differing": rows[0]["of"] if rows else 0, "first": shown})
    return found
