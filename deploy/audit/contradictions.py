"""Orders about which a shop said two things that cannot both be, in two partitions: points and metrics each take what
they see first, and may differ for good. That is named, and is no drift.

Only what is written down excuses a difference: a refusal, or a conflict, of each service about what the other took.
What one of them lost is drift, whatever else the shop said.
"""

# What a service refused of what the other may have taken. Points keep a purchase whose points are beyond the limit, and
# a return that came before its purchase is refused later than its place in the inbox says.
_REFUSED = """
    refused_by_metrics AS MATERIALIZED (
        SELECT tenant, event_id, part FROM metrics.inbox
        WHERE topic = 'treue.purchases' AND outcome = 'rejected' AND ($1::text IS NULL OR tenant = $1)
        UNION ALL SELECT tenant, event_id, i.part FROM metrics.refund r JOIN metrics.inbox i USING (tenant, event_id)
        WHERE r.refused AND ($1::text IS NULL OR tenant = $1)
    ), refused_by_points AS MATERIALIZED (
        SELECT tenant, event_id, part FROM points.inbox
        WHERE topic = 'treue.purchases' AND outcome = 'rejected' AND reason IS DISTINCT FROM 'points_beyond_limit'
            AND ($1::text IS NULL OR tenant = $1)
        UNION ALL SELECT tenant, event_id, i.part FROM points.waiting_return w
        JOIN points.inbox i USING (tenant, event_id)
        WHERE w.outcome = 'rejected' AND ($1::text IS NULL OR tenant = $1)
    )
"""
# What the other took of it; `minor` is null for a purchase.
_TAKEN = """
    taken_by_points AS (
        SELECT tenant, order_id, event_id, part, null::bigint AS minor FROM points.purchase_order
        JOIN refused_by_metrics USING (tenant, event_id)
        UNION ALL SELECT tenant, order_id, event_id, part, minor FROM points.order_return
        JOIN refused_by_metrics USING (tenant, event_id) WHERE NOT reinstates
    ), taken_by_metrics AS (
        SELECT tenant, order_id, event_id, part, null::bigint AS minor FROM metrics.shop_order
        JOIN refused_by_points USING (tenant, event_id)
        UNION ALL SELECT tenant, order_id, event_id, part, amount_minor - clamped_minor FROM metrics.refund
        JOIN refused_by_points USING (tenant, event_id) WHERE NOT refused
    )
"""
# One of the two, or the order's purchase, lies elsewhere: what came on one partition comes in one order for everybody.
_QUARRELS = """
    quarrel AS MATERIALIZED (
        SELECT tenant, order_id, p.event_id AS taken_by_points, m.event_id AS taken_by_metrics,
            p.minor IS NULL AND m.minor IS NULL AS of_purchases
        FROM taken_by_points p JOIN taken_by_metrics m USING (tenant, order_id)
        WHERE p.part <> m.part OR EXISTS (
            SELECT FROM points.purchase_order o JOIN points.inbox i USING (tenant, event_id)
            WHERE (o.tenant, o.order_id) = (p.tenant, p.order_id) AND i.part <> p.part)
    )
"""
# One event id with two bodies: each service took one of them, and keeps the other as a conflict.
_TWOFOLD = """
    twofold AS MATERIALIZED (
        SELECT DISTINCT tenant, event_id FROM points.conflict JOIN metrics.conflict USING (tenant, event_id)
        JOIN points.inbox p USING (tenant, event_id) JOIN metrics.inbox m USING (tenant, event_id)
        WHERE p.body_hash <> m.body_hash AND p.part <> m.part AND ($1::text IS NULL OR tenant = $1)
    ), twofold_order AS MATERIALIZED (
        SELECT tenant, order_id, event_id FROM points.purchase_order JOIN twofold USING (tenant, event_id)
        UNION SELECT tenant, order_id, event_id FROM points.order_return JOIN twofold USING (tenant, event_id)
        UNION SELECT tenant, order_id, event_id FROM metrics.shop_order JOIN twofold USING (tenant, event_id)
        UNION SELECT tenant, order_id, event_id FROM metrics.refund JOIN twofold USING (tenant, event_id)
    )
"""
# A cancellation and the purchase that came again, on two partitions: the one service saw an order to reinstate, the
# other one that stood. Or one of the two purchases was put aside and came late: both services have both, the other way
# round.
_REINSTATED_APART = """
    reinstated_apart AS MATERIALIZED (
        SELECT tenant, order_id, event_id FROM (
            SELECT tenant, order_id, event_id, part FROM points.order_return
            JOIN refused_by_metrics USING (tenant, event_id) WHERE reinstates
            UNION ALL SELECT o.tenant, o.order_id, o.reinstated_by, r.part FROM metrics.shop_order o
            JOIN refused_by_points r ON (r.tenant, r.event_id) = (o.tenant, o.reinstated_by)
        ) AS again WHERE EXISTS (
            SELECT FROM points.order_return c JOIN points.inbox i USING (tenant, event_id)
            WHERE (c.tenant, c.order_id) = (again.tenant, again.order_id) AND c.cancels AND i.part <> again.part)
        UNION ALL SELECT tenant, order_id, p.event_id FROM points.purchase_order p
        JOIN metrics.shop_order m USING (tenant, order_id) JOIN points.order_return r USING (tenant, order_id)
        WHERE r.reinstates AND (p.event_id, r.event_id) = (m.reinstated_by, m.event_id)
    )
"""
# To be used after WITH. Orders of which nothing can be compared, and how much of the others' returns was in dispute.
CONTRADICTIONS = f"""
    {_REFUSED}, {_TAKEN}, {_QUARRELS}, {_TWOFOLD}, {_REINSTATED_APART}, contradicted AS MATERIALIZED (
        SELECT tenant, order_id FROM quarrel WHERE of_purchases UNION SELECT tenant, order_id FROM twofold_order
        UNION SELECT tenant, order_id FROM reinstated_apart
    ), disputed AS MATERIALIZED (
        SELECT tenant, order_id, coalesce(sum(p_minor), 0) AS by_points, coalesce(sum(m_minor), 0) AS by_metrics FROM (
            SELECT tenant, order_id, minor AS p_minor, null AS m_minor FROM taken_by_points
            UNION ALL SELECT tenant, order_id, null, minor FROM taken_by_metrics
        ) AS taken WHERE (tenant, order_id) IN (SELECT tenant, order_id FROM quarrel) GROUP BY tenant, order_id
    )
"""  # noqa: S608 - built from our own constants
CONTRADICTED = f"""
    WITH {CONTRADICTIONS} SELECT DISTINCT ON (tenant, order_id) * FROM (
        SELECT tenant, order_id, taken_by_points, taken_by_metrics FROM quarrel
        UNION ALL SELECT tenant, order_id, event_id, event_id FROM twofold_order
        UNION ALL SELECT tenant, order_id, event_id, event_id FROM reinstated_apart
    ) AS found ORDER BY tenant, order_id, taken_by_points, taken_by_metrics
"""  # noqa: S608 - built from our own constants
