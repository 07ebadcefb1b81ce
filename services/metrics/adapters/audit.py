"""What must always hold between the tables: each check is a query of the rows that differ, none when all is well.

The tenant is the first column; `$1` is a tenant, or null for all. Run in one snapshot (repeatable read): the tables
move together, so that a live system shows no difference either.
"""

from typing import Final

from shared.audit import Law

# What every counted order and every refund of one adds to its day; {s} is the schema.
_ENTRIES = """
    SELECT tenant, customer, business_date, 1 AS orders, gross_minor AS gross, 0::bigint AS refunded FROM {s}.shop_order
    WHERE event_id IS NOT NULL AND NOT cancelled AND ($1::text IS NULL OR tenant = $1)
    UNION ALL
    SELECT tenant, o.customer, r.business_date, 0, 0, r.amount_minor - r.clamped_minor
    FROM {s}.refund r JOIN {s}.shop_order o USING (tenant, order_id)
    WHERE NOT r.refused AND o.event_id IS NOT NULL AND NOT o.cancelled AND ($1::text IS NULL OR tenant = $1)
"""
_DIFFERENT = """
    (coalesce(s.orders, 0), coalesce(s.gross, 0), coalesce(s.refunded, 0))
        <> (coalesce(f.orders, 0), coalesce(f.gross, 0), coalesce(f.refunded, 0))
"""
_ORDER_REFUNDS = """
    SELECT tenant, order_id, stored, folded FROM (
        SELECT tenant, order_id, o.refunded_minor AS stored,
            coalesce(sum(r.amount_minor - r.clamped_minor) FILTER (WHERE NOT r.refused), 0) AS folded
        FROM {s}.shop_order o LEFT JOIN {s}.refund r USING (tenant, order_id)
        WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, order_id, o.refunded_minor
    ) AS compared WHERE stored <> folded
"""
_REFUND_WITHOUT_ORDER = """
    SELECT tenant, order_id, event_id FROM {s}.refund r
    WHERE ($1::text IS NULL OR tenant = $1)
        AND NOT EXISTS (SELECT FROM {s}.shop_order o WHERE (o.tenant, o.order_id) = (r.tenant, r.order_id))
"""
_CUSTOMER_DAYS = f"""
    WITH f AS (
        SELECT tenant, customer, business_date, sum(orders) AS orders, sum(gross) AS gross, sum(refunded) AS refunded
        FROM ({_ENTRIES}) AS entry WHERE customer IS NOT NULL GROUP BY tenant, customer, business_date
    ), s AS (
        SELECT tenant, customer, business_date, orders, gross_minor AS gross, refunded_minor AS refunded
        FROM {{s}}.customer_day WHERE $1::text IS NULL OR tenant = $1
    )
    SELECT tenant, customer, business_date, to_jsonb(s) AS stored, to_jsonb(f) AS folded
    FROM s FULL JOIN f USING (tenant, customer, business_date) WHERE {_DIFFERENT}
"""  # noqa: S608 - built from our own constants
_DAY_TOTALS = f"""
    WITH f AS (
        SELECT tenant, business_date, customer IS NULL AS guest, sum(orders) AS orders, sum(gross) AS gross,
            sum(refunded) AS refunded
        FROM ({_ENTRIES}) AS entry GROUP BY tenant, business_date, customer IS NULL
    ), s AS (
        SELECT tenant, business_date, guest, sum(orders) AS orders, sum(gross_minor) AS gross,
            sum(refunded_minor) AS refunded
        FROM {{s}}.day_total WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, business_date, guest
    )
    SELECT tenant, business_date, guest, to_jsonb(s) AS stored, to_jsonb(f) AS folded
    FROM s FULL JOIN f USING (tenant, business_date, guest) WHERE {_DIFFERENT}
"""  # noqa: S608 - built from our own constants
_CUSTOMER_STATES = """
    WITH running AS (
        SELECT *, sum(orders) OVER (PARTITION BY tenant, customer ORDER BY business_date) AS orders_so_far
        FROM {s}.customer_day WHERE $1::text IS NULL OR tenant = $1
    ), f AS (
        SELECT tenant, customer, min(business_date) FILTER (WHERE orders > 0) AS first_day,
            min(business_date) FILTER (WHERE orders_so_far > 1) AS second_day,
            max(business_date) FILTER (WHERE orders > 0) AS last_day, count(*) FILTER (WHERE orders > 0) AS days,
            sum(orders) AS orders, sum(gross_minor) AS gross_minor, sum(refunded_minor) AS refunded_minor
        FROM running GROUP BY tenant, customer
    ), s AS (SELECT * FROM {s}.customer_state WHERE $1::text IS NULL OR tenant = $1)
    SELECT tenant, customer, to_jsonb(s) AS stored, to_jsonb(f) AS folded FROM s FULL JOIN f USING (tenant, customer)
    WHERE (s.first_day, s.second_day, s.last_day, s.days, s.orders, s.gross_minor, s.refunded_minor)
        IS DISTINCT FROM (f.first_day, f.second_day, f.last_day, f.days, f.orders, f.gross_minor, f.refunded_minor)
"""
_INBOX_ROWS = """
    SELECT tenant, event_id, kind FROM (
        SELECT tenant, event_id, effects -> 0 ->> 'kind' AS kind, effects -> 0 ->> 'order_id' AS order_id FROM {s}.inbox
        WHERE outcome = 'applied' AND ($1::text IS NULL OR tenant = $1)
    ) AS i WHERE CASE kind
        WHEN 'order.counted' THEN NOT EXISTS (SELECT FROM {s}.shop_order o
            WHERE (o.tenant, o.order_id, o.event_id) = (i.tenant, i.order_id, i.event_id))
        WHEN 'order.reinstated' THEN NOT EXISTS (SELECT FROM {s}.shop_order o
            WHERE (o.tenant, o.order_id, o.reinstated_by) = (i.tenant, i.order_id, i.event_id))
        WHEN 'order.refunded' THEN NOT EXISTS (SELECT FROM {s}.refund r
            WHERE (r.tenant, r.order_id, r.event_id) = (i.tenant, i.order_id, i.event_id))
        ELSE false END
"""
_ANSWERS = """
    SELECT tenant, event_id, f.kind, f.score, i.kind AS told_kind, i.score AS told_score
    FROM (SELECT * FROM {s}.feedback WHERE $1::text IS NULL OR tenant = $1) AS f FULL JOIN (
        SELECT tenant, event_id, effects -> 0 ->> 'feedback' AS kind, (effects -> 0 ->> 'score')::int AS score
        FROM {s}.inbox WHERE outcome = 'applied' AND effects -> 0 ->> 'kind' = 'feedback.counted'
            AND ($1::text IS NULL OR tenant = $1)
    ) AS i USING (event_id, tenant)
    WHERE (f.kind, f.score) IS DISTINCT FROM (i.kind, i.score)
"""
_ERASED_IDS = """
    SELECT e.tenant, e.customer_id, s.customer AS state_of, o.order_id, r.event_id AS record_id
    FROM {s}.erasure e
    LEFT JOIN {s}.customer_state s ON (s.tenant, s.customer) = (e.tenant, e.customer_id)
    LEFT JOIN {s}.shop_order o ON (o.tenant, o.customer) = (e.tenant, e.customer_id)
    LEFT JOIN {s}.customer_record r ON (r.tenant, r.customer) = (e.tenant, e.customer_id)
    WHERE e.rejoined_at IS NULL AND ($1::text IS NULL OR e.tenant = $1)
        AND num_nonnulls(s.customer, o.order_id, r.event_id) > 0
"""
_ALL: Final = (
    ("erased_ids", "an id that was erased has no order, no figure and no record", _ERASED_IDS, "erasure"),
    ("order_refunds", "an order's refunded money is the sum of its refunds", _ORDER_REFUNDS, "shop_order"),
    ("refund_orders", "every refund has its order, if only one still awaited", _REFUND_WITHOUT_ORDER, "refund"),
    ("customer_days", "customers' days are a fold of counted orders and refunds", _CUSTOMER_DAYS, "customer_day"),
    ("day_totals", "tenants' days are a fold of counted orders and refunds", _DAY_TOTALS, "day_total"),
    ("customer_states", "customers' states are a fold of their days", _CUSTOMER_STATES, "customer_state"),
    ("inbox_rows", "every event of an order that the inbox calls counted has its row", _INBOX_ROWS, "inbox"),
    (
        "answers",
        "every answer has the score that its inbox row tells, and none is without the other",
        _ANSWERS,
        "feedback",
    ),
)


def invariants(schema: str = "metrics") -> list[Law]:
    """All of them, over the tables of this schema."""
    return [
        Law(name, description, differing.format(s=schema), _count(schema, table))
        for name, description, differing, table in _ALL
    ]


def _count(schema: str, table: str) -> str:
    return f"SELECT count(*) FROM {schema}.{table} WHERE $1::text IS NULL OR tenant = $1"  # noqa: S608 - our own names


CHECKS: Final = tuple(invariants())
