"""What two services must agree on, though neither knows the other: both folded the same purchases.

On a live system one may be ahead; only what both have passed is compared.
"""

from deploy.audit.check import Check

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
_SAME_POSITIONS = """
    NOT EXISTS (
        SELECT FROM points.consumer_offset p FULL JOIN metrics.consumer_offset m USING (topic, part)
        WHERE topic = 'treue.purchases' AND p.next_offset IS DISTINCT FROM m.next_offset
    ) AND NOT EXISTS (SELECT FROM points.parked_event) AND NOT EXISTS (SELECT FROM metrics.parked_event)
"""
_ORDERS = f"""
    SELECT tenant, order_id, p.total_minor, m.gross_minor, p.returned_minor, m.refunded_minor,
        p.cancelled AS cancelled_in_points, m.cancelled AS cancelled_in_metrics
    FROM (SELECT * FROM points.purchase_order WHERE event_id IS NOT NULL) AS p
    FULL JOIN (SELECT * FROM metrics.shop_order WHERE event_id IS NOT NULL) AS m USING (tenant, order_id)
    WHERE ($1::text IS NULL OR tenant = $1) AND {_SAME_POSITIONS} AND (
        (p.event_id, p.total_minor, p.cancelled) IS DISTINCT FROM (m.event_id, m.gross_minor, m.cancelled)
        OR (NOT p.cancelled AND p.returned_minor IS DISTINCT FROM m.refunded_minor))
"""  # noqa: S608 - built from our own constants
_ORDERS_COUNTED = f"""
    SELECT count(*) FROM points.purchase_order
    WHERE event_id IS NOT NULL AND ($1::text IS NULL OR tenant = $1) AND {_SAME_POSITIONS}
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
            "points", "orders_agree_with_metrics", "orders and returns are the same money in points and in metrics",
            _ORDERS, _ORDERS_COUNTED,
        ),
    ]  # fmt: skip
