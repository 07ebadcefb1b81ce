"""What must always hold between the tables: each check is a query of the rows that differ, none when all is well.

The tenant is the first column; `$1` is a tenant, or null for all. Run in one snapshot (repeatable read).
"""

from typing import Final

from services.notifications.domain.delivery import LONGEST_PAUSE_S
from shared.audit import Law

_ONCE = """
    SELECT tenant, cause_id, template, channel, count(*) AS messages FROM {s}.message
    WHERE $1::text IS NULL OR tenant = $1 GROUP BY tenant, cause_id, template, channel HAVING count(*) > 1
"""
# What the inbox says of an event, against the messages that there are; both ways round.
_CAUSES = """
    WITH wanted AS (
        SELECT i.tenant, i.event_id AS cause_id, shown ->> 'template' AS template, shown ->> 'channel' AS channel
        FROM {s}.inbox i CROSS JOIN LATERAL jsonb_array_elements(i.effects) AS shown
        WHERE i.outcome = 'applied' AND shown ->> 'kind' = 'message' AND ($1::text IS NULL OR i.tenant = $1)
    ), found AS (
        SELECT tenant, cause_id, template, channel FROM {s}.message WHERE $1::text IS NULL OR tenant = $1
    )
    SELECT tenant, cause_id, template, channel, w.cause_id IS NULL AS without_cause
    FROM wanted w FULL JOIN found f USING (tenant, cause_id, template, channel)
    WHERE w.cause_id IS NULL OR f.cause_id IS NULL
"""
# A withdrawal that is committed in the moment of the claim comes too late for that mail: a minute is given.
_WITHDRAWN = """
    SELECT m.tenant, m.customer_id, m.id, m.template, c.since AS withdrawn_since, m.claimed_at FROM {s}.message m
    CROSS JOIN LATERAL (
        SELECT effective, since, recorded_at FROM {s}.consent c
        WHERE (c.tenant, c.customer_id, c.channel, c.purpose) = (m.tenant, m.customer_id, m.channel, m.purpose)
            AND c.recorded_at < m.claimed_at ORDER BY c.seq DESC LIMIT 1
    ) AS c
    WHERE m.claimed_at IS NOT NULL AND c.effective IS FALSE AND c.recorded_at < m.claimed_at - interval '1 minute'
        AND ($1::text IS NULL OR m.tenant = $1)
"""
_MARKETING = """
    SELECT m.tenant, m.customer_id, m.id, m.template FROM {s}.message m
    WHERE m.purpose = 'marketing' AND m.status = 'sent' AND ($1::text IS NULL OR m.tenant = $1) AND NOT EXISTS (
        SELECT FROM {s}.consent c
        WHERE (c.tenant, c.customer_id, c.channel, c.purpose) = (m.tenant, m.customer_id, m.channel, m.purpose)
            AND c.effective AND c.recorded_at <= coalesce(m.claimed_at, m.created_at))
"""
_ERASED = """
    SELECT m.tenant, m.customer_id, m.id, m.status FROM {s}.message m
    JOIN {s}.profile p ON (p.tenant, p.customer_id) = (m.tenant, m.customer_id)
    WHERE p.state = 'erased' AND ($1::text IS NULL OR m.tenant = $1)
        AND (m.facts <> '{{}}' OR m.subject IS NOT NULL OR m.text IS NOT NULL OR m.html IS NOT NULL
            OR m.status IN ('waiting', 'queued') AND m.claimed_at IS NULL
            OR m.claimed_at > p.changed_at + interval '1 minute')
"""
_ERASED_IDS = """
    SELECT e.tenant, e.customer_id, p.state, m.id AS message_id, w.channel AS word_of FROM {s}.erasure e
    LEFT JOIN {s}.profile p USING (tenant, customer_id) LEFT JOIN {s}.message m USING (tenant, customer_id)
    LEFT JOIN {s}.consent_word w USING (tenant, customer_id)
    WHERE e.rejoined_at IS NULL AND ($1::text IS NULL OR e.tenant = $1)
        AND (p.state IS DISTINCT FROM 'erased' OR m.id IS NOT NULL OR w.channel IS NOT NULL)
"""
# The newest line of a customer's history, against what the newest words of both sources come to.
_CONSENTS = """
    WITH held AS (
        SELECT tenant, customer_id, channel, purpose, CASE
            WHEN NOT own.granted THEN false
            WHEN own.granted AND (shop.said_at IS NULL OR own.said_at > shop.said_at) THEN true
            ELSE shop.granted END AS effective
        FROM (SELECT * FROM {s}.consent_word WHERE said_by = 'customer') AS own
        FULL JOIN (SELECT * FROM {s}.consent_word WHERE said_by = 'shop') AS shop
            USING (tenant, customer_id, channel, purpose)
        WHERE $1::text IS NULL OR tenant = $1
    ), newest AS (
        SELECT DISTINCT ON (tenant, customer_id, channel, purpose) tenant, customer_id, channel, purpose, effective
        FROM {s}.consent WHERE ($1::text IS NULL OR tenant = $1) AND granted IS NOT NULL
            AND left(customer_id, 1) <> '#'
        ORDER BY tenant, customer_id, channel, purpose, seq DESC
    )
    SELECT tenant, customer_id, channel, purpose, h.effective AS by_words, n.effective AS by_history
    FROM held h FULL JOIN newest n USING (tenant, customer_id, channel, purpose)
    WHERE h.effective IS DISTINCT FROM n.effective
"""
_STATES = """
    SELECT tenant, id, channel, status, reason FROM {s}.message
    WHERE ($1::text IS NULL OR tenant = $1) AND NOT (
        status IN ('waiting', 'queued', 'sending', 'sent', 'failed', 'skipped', 'bounced')
        AND (due_at IS NOT NULL) = (status IN ('waiting', 'queued', 'sending'))
        AND (sent_at IS NOT NULL) = (status = 'sent')
        AND (reason IS NOT NULL OR status NOT IN ('failed', 'skipped', 'bounced'))
        AND (channel <> 'inapp' OR status IN ('sent', 'skipped'))
        AND (channel = 'inapp' OR status NOT IN ('sent', 'bounced') OR claims > 0)
        AND attempts <= claims)
"""
_ATTEMPTS = """
    SELECT m.tenant, m.id, m.status, l.outcome AS last_attempt FROM {s}.message m
    LEFT JOIN LATERAL (
        SELECT outcome FROM {s}.attempt a WHERE (a.tenant, a.message_id) = (m.tenant, m.id)
        ORDER BY claim DESC LIMIT 1
    ) AS l ON true
    WHERE m.channel <> 'inapp' AND m.status IN ('sent', 'bounced') AND l.outcome IS DISTINCT FROM m.status
        AND ($1::text IS NULL OR m.tenant = $1)
"""
_SUPPRESSIONS = """
    SELECT s.tenant, s.message_id, s.reason FROM {s}.suppression s
    LEFT JOIN {s}.message m ON (m.tenant, m.id) = (s.tenant, s.message_id)
    WHERE m.status IS DISTINCT FROM 'bounced' AND ($1::text IS NULL OR s.tenant = $1)
"""
# A sender notices an ended lease at its next look; a worker that is away is no drift for a minute.
_STUCK = """
    SELECT tenant, id, status, due_at, claims FROM {s}.message
    WHERE status = 'sending' AND due_at < clock_timestamp() - interval '1 minute' AND ($1::text IS NULL OR tenant = $1)
"""
_LATE = """
    SELECT tenant, id, status, due_at FROM {s}.message
    WHERE status = 'waiting' AND due_at < clock_timestamp() - interval '1 minute' AND ($1::text IS NULL OR tenant = $1)
"""
_TOO_FAR = f"""
    SELECT tenant, id, status, due_at FROM {{s}}.message
    WHERE status IN ('queued', 'sending') AND ($1::text IS NULL OR tenant = $1)
        AND due_at > clock_timestamp() + interval '{LONGEST_PAUSE_S} seconds' + interval '1 minute'
"""  # noqa: S608 - our own constant
_ALL: Final = (
    ("message_once", "a cause has one message per template and channel", _ONCE, "message"),
    ("message_causes", "every applied cause has its messages, every message its applied cause", _CAUSES, "message"),
    ("message_withdrawn", "nothing was sent to who had withdrawn their consent", _WITHDRAWN, "message"),
    ("message_marketing", "no marketing was sent without consent", _MARKETING, "message"),
    ("message_erased", "nothing is kept of, or sent to, who was erased", _ERASED, "message"),
    ("erased_ids", "an id that was erased has no profile, no message and no consent", _ERASED_IDS, "erasure"),
    ("consents", "what holds of a consent is what the newest words of both sources come to", _CONSENTS, "consent_word"),
    ("message_states", "every message's status agrees with its other columns", _STATES, "message"),
    ("message_attempts", "what was sent or bounced is what its last attempt says", _ATTEMPTS, "attempt"),
    ("suppressions", "every address on the list was refused once", _SUPPRESSIONS, "suppression"),
    ("message_leases", "no message is in a sender's hands after its lease", _STUCK, "message"),
    ("message_due", "no message waits longer for its next attempt than any answer puts it off", _TOO_FAR, "message"),
    ("message_waits", "no message waits for a profile beyond its time", _LATE, "message"),
)


def invariants(schema: str = "notifications") -> list[Law]:
    """All of them, over the tables of this schema."""
    return [
        Law(name, description, differing.format(s=schema), _count(schema, table))
        for name, description, differing, table in _ALL
    ]


def _count(schema: str, table: str) -> str:
    return f"SELECT count(*) FROM {schema}.{table} WHERE $1::text IS NULL OR tenant = $1"  # noqa: S608 - our own names
