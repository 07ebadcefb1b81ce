"""What a fold of the same events must give again, by service and table: the columns, or expressions, that depend on
nothing but the events and an instant. `{s}` is the schema; `{due}` holds for a lot (`l`) to be activated by then. Of
the alias `x`, `{on_record}` holds where the lines of its order are on record, and `{detail}` is what an entry tells.

Left out everywhere: the instants of writing (recorded_at, applied_at, changed_at and the like), ids that were minted
(of entries, and newest_entry_ms of theirs), and the place (part, off) of an event in the inbox and of a return that
waits: copies of it may lie on other partitions, and which of them is met first is chance. Where else something is left
out, a comment says why.
"""

from datetime import datetime

# Released code let points without a delay wait for a shop's clock that was ahead: those have been due from the start.
_DUE = "(NOT l.activated AND (l.activate_at <= timestamptz '{at}' OR l.activate_at = l.occurred_at))"

# An earlier release wrote down when it worked on an erasure, not when that was received.
_ERASURES = "tenant, customer_id, number, pseudonym, rejoined_at FROM {s}.erasure"
# An earlier release kept lines under the policy `item` alone, and did not name those that a return could not use. Of an
# order whose lines are not on record the fold has more to tell than there is.
_ON_RECORD = (
    "EXISTS (SELECT FROM points.purchase_order p"
    " WHERE (p.tenant, p.order_id) = (x.tenant, x.order_id) AND p.lines IS NOT NULL)"
)
_DETAIL = (
    f"CASE WHEN {_ON_RECORD} THEN detail - 'unusable_lines'"
    " ELSE detail - '{unusable_lines,without_usable_lines}'::text[] END AS detail"
)
FOLDED: dict[str, dict[str, str]] = {
    "points": {
        # What one wallet's entries come to after each of them, and their numbers, depend on which of two partitions was
        # first. An activation counts as soon as it is due, whether or not the worker has written its entry. Whether an
        # emptied lot has one, and of how many points it is, depends on when returns were read.
        "entry": "tenant, customer_id, kind, points, debt, event_id, order_id, occurred_at, programme_version, reason,"
        " {detail}"
        " FROM {s}.entry x WHERE kind <> 'activated' UNION ALL"
        " SELECT l.tenant, l.customer_id, 'activated', 0, 0, e.event_id, e.order_id, l.activate_at,"
        " e.programme_version, 'activation_due', NULL FROM {s}.lot l JOIN {s}.entry e"
        " ON (e.tenant, e.id) = (l.tenant, l.entry_id) WHERE l.remaining > 0 AND l.activate_at > l.occurred_at"
        " AND ({due} OR EXISTS (SELECT FROM {s}.entry a WHERE (a.tenant, a.customer_id, a.kind, a.event_id)"
        " = (l.tenant, l.customer_id, 'activated', e.event_id)))",
        # As a reader sees it at that instant: what is due is spendable.
        "wallet": "tenant, customer_id, posted + coalesce(due, 0) AS posted, pending - coalesce(due, 0) AS pending,"
        " held, debt, lifetime_earned FROM {s}.wallet LEFT JOIN (SELECT l.tenant, l.customer_id,"
        " sum(l.remaining)::bigint AS due FROM {s}.lot l WHERE {due} GROUP BY l.tenant, l.customer_id) AS d"
        " USING (tenant, customer_id)",
        "lot": "tenant, customer_id, id, amount, remaining, held, occurred_at, activate_at, expires_at,"
        " CASE WHEN remaining > 0 THEN activated OR {due} END AS spendable FROM {s}.lot l",
        "allocation": "tenant, customer_id, lot_id, sum(points) AS points FROM {s}.allocation"
        " GROUP BY tenant, customer_id, lot_id",
        "customer": "tenant, customer_id, erased_at IS NULL AS alive FROM {s}.customer",
        "erasure": _ERASURES,
        "purchase_order": "tenant, order_id, event_id, customer_id, currency, total_minor, occurred_at,"
        " programme_version, points_per_unit, rounding, return_policy, points, returned_minor, clawed_points,"
        " cancelled, CASE WHEN {on_record} THEN unlined_minor END AS unlined_minor,"
        " CASE WHEN {on_record} THEN lines END AS lines"
        " FROM {s}.purchase_order x",
        "order_return": "tenant, order_id, event_id, minor, points, cancels, reinstates, occurred_at"
        " FROM {s}.order_return",
        # Whether a return came before its purchase depends on how the batches fell; what was decided of it does not.
        "inbox": "i.tenant, i.event_id, i.body_hash, coalesce(w.outcome, i.outcome) AS outcome,"
        " CASE WHEN w.event_id IS NULL THEN i.reason ELSE w.reason END AS reason, i.topic"
        " FROM {s}.inbox i LEFT JOIN {s}.waiting_return w ON (w.event_id, w.tenant) = (i.event_id, i.tenant)",
        "waiting_return": "tenant, event_id, order_id, topic FROM {s}.waiting_return WHERE outcome IS NULL",
    },
    "metrics": {
        "programme": "* FROM {s}.programme",
        # An earlier release did not note which cancelled orders may be reinstated.
        "shop_order": "tenant, order_id, customer, occurred_at, business_date, gross_minor, refunded_minor, cancelled,"
        " event_id, reinstated_by FROM {s}.shop_order",
        "refund": "* FROM {s}.refund",
        "customer_day": "* FROM {s}.customer_day",
        "customer_state": "* FROM {s}.customer_state",
        # Which partition added is nobody's figure: an order and its cancellation may come by two.
        "day_total": "tenant, business_date, guest, sum(orders) AS orders, sum(gross_minor) AS gross_minor,"
        " sum(refunded_minor) AS refunded_minor FROM {s}.day_total GROUP BY tenant, business_date, guest",
        "feedback": "* FROM {s}.feedback",
        # An earlier release kept none.
        "customer_record": "* FROM {s}.customer_record WHERE received_at >= (SELECT since FROM metrics.record_start)",
        "erasure": _ERASURES,
    },
    "notifications": {
        "programme": "* FROM {s}.programme",
        "profile": "tenant, customer_id, state, email, name, locale, time_zone, kind FROM {s}.profile",
        # The newest word of each source. The history also has lines in the words of earlier releases.
        "consent_word": "* FROM {s}.consent_word",
        "erasure": _ERASURES,
        "withdrawal": "* FROM {s}.withdrawal",
        # What became of a message depends on the hour, on the mail server, and on whether the profile was there in
        # time (a fold reads profiles first); its facts, on when somebody was erased.
        "message": "tenant, id, customer_id, cause_id, origin_id, template, channel, purpose, correlation_id,"
        " traceparent FROM {s}.message",
    },
}
# Whatever the service: what became of each event.
_MECHANISM = {
    "inbox": "tenant, event_id, body_hash, outcome, reason, topic FROM {s}.inbox",
    "conflict": "tenant, event_id, body_hash, topic, part, off FROM {s}.conflict",
    "parked_event": "tenant, event_id, topic, part, off FROM {s}.parked_event WHERE reason <> 'replay'",
    "dead_letter": "tenant, event_id, topic, part, off FROM {s}.dead_letter WHERE state <> 'retried'",
}


def folded(service: str) -> dict[str, str]:
    """What to select, by table."""
    return {**_MECHANISM, **FOLDED[service]}


def selected(columns: str, schema: str, at: datetime | None = None) -> str:
    """Such a selection from a schema: as what is due `at` an instant makes it, or as it is written."""
    due = _DUE.format(at=at.isoformat()) if at else "false"
    return columns.format(s=schema, due=due, on_record=_ON_RECORD, detail=_DETAIL)
