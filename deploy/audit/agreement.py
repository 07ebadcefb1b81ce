"""What two services must agree on, though neither knows the other: both folded the same purchases.

On a live system each has always passed something that the other has not. An event counts as unsettled while one service
has it and the other has not passed it yet, or has put it aside; only the orders of such events are left out.
"""

from deploy.audit.check import Check
from deploy.audit.contradictions import CONTRADICTED, CONTRADICTIONS

# An event that one service has in its inbox, and that the other passed without a trace of it.
_UNSEEN = """
    SELECT i.tenant, i.event_id, i.topic, i.part, i.off FROM {one}.inbox i
    JOIN {other}.consumer_offset o ON (o.topic, o.part) = (i.topic, i.part) AND i.off < o.next_offset
    WHERE i.topic = 'treue.purchases' AND ($1::text IS NULL OR i.tenant = $1)
        AND NOT EXISTS (SELECT FROM {other}.inbox x WHERE (x.event_id, x.tenant) = (i.event_id, i.tenant))
        AND NOT EXISTS (SELECT FROM {other}.parked_event x WHERE (x.event_id, x.tenant) = (i.event_id, i.tenant))
        AND NOT EXISTS (SELECT FROM {other}.dead_letter x WHERE (x.event_id, x.tenant) = (i.event_id, i.tenant))
"""
_PURCHASES = "SELECT count(*) FROM {one}.inbox WHERE topic = 'treue.purchases' AND ($1::text IS NULL OR tenant = $1)"
_AHEAD = """
    SELECT i.tenant, i.event_id FROM {one}.inbox i LEFT JOIN {other}.consumer_offset o USING (topic, part)
    WHERE i.topic = 'treue.purchases' AND i.off >= coalesce(o.next_offset, 0)
"""
_PUT_ASIDE = """
    SELECT tenant, event_id FROM {one}.parked_event WHERE topic = 'treue.purchases'
    UNION ALL SELECT tenant, event_id FROM {one}.dead_letter WHERE topic = 'treue.purchases' AND state <> 'retried'
"""
_UNSETTLED = " UNION ALL ".join(
    query.format(one=one, other=other)
    for query in (_AHEAD, _PUT_ASIDE)
    for one, other in (("points", "metrics"), ("metrics", "points"))
)
# An erasure that one service has worked on and the other has not; and purchases that overtook one, or a rejoining, in
# one service alone: each has on record whose it judged them to be.
_ERASED_HERE = """
    SELECT {column} FROM (
        SELECT tenant, customer_id, pseudonym, rejoined_at FROM {one}.erasure
        EXCEPT SELECT tenant, customer_id, pseudonym, rejoined_at FROM {other}.erasure
    ) AS e
"""
_JUDGED_HERE = """
    SELECT tenant, event_id FROM (
        SELECT tenant, event_id, customer_id FROM {one}.erased_order
        EXCEPT SELECT tenant, event_id, customer_id FROM {other}.erased_order
    ) AS judged
"""
_BOTH_WAYS = (("points", "metrics"), ("metrics", "points"))
_JUDGED_APART = " UNION ".join(_JUDGED_HERE.format(one=one, other=other) for one, other in _BOTH_WAYS)
_ERASED_APART = " UNION ".join(
    _ERASED_HERE.format(column=column, one=one, other=other)
    for column in ("tenant, customer_id", "tenant, pseudonym")
    for one, other in _BOTH_WAYS
)
_ORDERS_IN_POINTS = "SELECT count(*) FROM points.purchase_order WHERE $1::text IS NULL OR tenant = $1"
# The inbox of metrics names the order of each event that it took, which not every table does: a cancellation has none.
_ORDERS = f"""
    WITH {CONTRADICTIONS}, unsettled AS MATERIALIZED ({_UNSETTLED}), set_aside AS (
        SELECT tenant, order_id FROM points.purchase_order JOIN unsettled USING (tenant, event_id)
        UNION SELECT tenant, order_id FROM points.order_return JOIN unsettled USING (tenant, event_id)
        UNION SELECT tenant, order_id FROM points.waiting_return JOIN unsettled USING (tenant, event_id)
        UNION SELECT tenant, effects -> 0 ->> 'order_id' FROM metrics.inbox JOIN unsettled USING (tenant, event_id)
        UNION SELECT tenant, order_id FROM contradicted
        UNION SELECT tenant, order_id FROM points.purchase_order JOIN ({_JUDGED_APART}) AS j USING (tenant, event_id)
        UNION SELECT tenant, order_id FROM points.purchase_order JOIN ({_ERASED_APART}) AS e USING (tenant, customer_id)
        UNION SELECT o.tenant, order_id FROM metrics.shop_order o JOIN ({_ERASED_APART}) AS e
            ON (e.tenant, e.customer_id) = (o.tenant, o.customer)
    ), both_orders AS (
        SELECT tenant, order_id, u.order_id IS NOT NULL AS left_out, p.event_id, m.event_id AS event_id_in_metrics,
            p.customer_id, m.customer, p.occurred_at, m.occurred_at AS occurred_at_in_metrics,
            p.total_minor, m.gross_minor, p.returned_minor, m.refunded_minor,
            coalesce(d.by_points, 0) AS disputed_in_points, coalesce(d.by_metrics, 0) AS disputed_in_metrics,
            p.cancelled AS cancelled_in_points, m.cancelled AS cancelled_in_metrics
        FROM (SELECT * FROM points.purchase_order WHERE event_id IS NOT NULL) AS p
        FULL JOIN (SELECT * FROM metrics.shop_order WHERE event_id IS NOT NULL) AS m USING (tenant, order_id)
        LEFT JOIN set_aside u USING (tenant, order_id) LEFT JOIN disputed d USING (tenant, order_id)
        WHERE $1::text IS NULL OR tenant = $1
    )
"""  # noqa: S608 - built from our own constants
_ORDERS_DIFFERENT = f"""
    {_ORDERS} SELECT * FROM both_orders WHERE NOT left_out AND (
        (event_id, customer_id, occurred_at, total_minor, cancelled_in_points)
            IS DISTINCT FROM (event_id_in_metrics, customer, occurred_at_in_metrics, gross_minor, cancelled_in_metrics)
        OR (NOT cancelled_in_points
            AND returned_minor - disputed_in_points IS DISTINCT FROM refunded_minor - disputed_in_metrics))
"""  # noqa: S608 - built from our own constants
_ORDERS_COUNTED = f"""
    {_ORDERS} SELECT count(*) FILTER (WHERE NOT left_out), count(*) FILTER (WHERE left_out) FROM both_orders
"""  # noqa: S608 - built from our own constants

# Metrics fixed the day by the zone that was known then; points keep every version's. The two sides' tables of zones may
# differ by an hour, or one of them may lack a zone: what is that near to midnight is not judged, nor are such tenants.
_DAYS = """
    WITH zone AS MATERIALIZED (
        SELECT tenant, time_zone, bool_and(time_zone IN (SELECT name FROM pg_timezone_names)) OVER (PARTITION BY tenant)
            AS known FROM (SELECT DISTINCT tenant, time_zone FROM points.programme) AS p
    ), dated AS (
        SELECT tenant, order_id, event_id, occurred_at, business_date FROM metrics.shop_order WHERE event_id IS NOT NULL
        UNION ALL SELECT tenant, order_id, event_id, occurred_at, business_date FROM metrics.refund
        UNION ALL SELECT tenant, order_id, event_id, occurred_at, business_date FROM metrics.feedback
    ), judged AS (
        SELECT *, EXISTS (SELECT FROM zone z WHERE z.tenant = dated.tenant AND NOT z.known) AS left_out FROM dated
        WHERE $1::text IS NULL OR tenant = $1
    )
"""
_DAYS_DIFFERENT = f"""
    {_DAYS} SELECT tenant, order_id, event_id, occurred_at, business_date FROM judged j
    WHERE NOT left_out AND NOT EXISTS (SELECT FROM zone z WHERE z.tenant = j.tenant AND j.business_date
        BETWEEN CASE WHEN z.known THEN (j.occurred_at - interval '1 hour') AT TIME ZONE z.time_zone END::date
            AND CASE WHEN z.known THEN (j.occurred_at + interval '1 hour') AT TIME ZONE z.time_zone END::date)
"""  # noqa: S608 - built from our own constants
_DAYS_COUNTED = f"""
    {_DAYS} SELECT count(*) FILTER (WHERE NOT left_out), count(*) FILTER (WHERE left_out) FROM judged
"""  # noqa: S608 - built from our own constants


def agreement() -> list[Check]:
    """The checks between points and metrics."""
    return [
        *(
            Check(
                one, f"purchases_reached_{other}", f"every purchase event that {one} knows is known to {other}",
                _UNSEEN.format(one=one, other=other), _PURCHASES.format(one=one),
            )
            for one, other in (("points", "metrics"), ("metrics", "points"))
        ),
        Check(
            "metrics", "days_agree_with_points", "what counts on a day was on that day in the tenant's time zone",
            _DAYS_DIFFERENT, _DAYS_COUNTED,
        ),
        Check(
            "points", "orders_agree_with_metrics",
            "an order is the same customer's, of the same time, money and returns, in points and in metrics",
            _ORDERS_DIFFERENT, _ORDERS_COUNTED,
        ),
        Check(
            "points", "orders_contradicted",
            "orders of which a shop said two things in two partitions, and metrics took the other one (no drift)",
            CONTRADICTED, _ORDERS_IN_POINTS, is_drift=False,
        ),
    ]  # fmt: skip
