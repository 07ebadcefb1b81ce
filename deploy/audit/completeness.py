"""Every offset below a stored position left a trace: an inbox row, a dead letter, a parked event, or a count.

It finds a position that was moved by hand, a batch that was passed without its effect, and inbox rows that vanished.
Gaps between offsets are only right in compacted topics, whose older records disappear. It counts only, and asks Kafka
nothing: what cancels out in the sums is found by explained.py.
"""

from deploy.audit.check import Check
from shared.events.contract import Topic

_COMPACTED = ", ".join(f"'{topic.value}'" for topic in Topic if topic.compacted)
_OUTBOX_AGE_MAX_S = 60

# `{s}` is the schema.
_TRACES = """
    WITH passed AS (
        SELECT topic, part, count(*) AS n FROM {s}.inbox GROUP BY topic, part
        UNION ALL SELECT topic, part, count(*) FROM {s}.dead_letter WHERE state <> 'retried' GROUP BY topic, part
        UNION ALL SELECT topic, part, count(*) FROM {s}.parked_event WHERE reason <> 'replay' GROUP BY topic, part
    ), traced AS (SELECT topic, part, sum(n) AS n FROM passed GROUP BY topic, part)
    SELECT '' AS tenant, o.topic, o.part, o.next_offset - o.first_offset AS passed,
        coalesce(t.n, 0) AS rows, o.duplicates, o.conflicts, o.ignored, o.gaps
    FROM {s}.consumer_offset o LEFT JOIN traced t USING (topic, part)
    WHERE ($1::text IS NULL OR true) AND (
        o.next_offset - o.first_offset <> coalesce(t.n, 0) + o.duplicates + o.conflicts + o.ignored + o.gaps
        OR (o.gaps > 0 AND o.topic NOT IN ({compacted})))
"""
_BEHIND = """
    SELECT i.tenant, i.topic, i.part, i.off, i.event_id FROM {s}.inbox i
    LEFT JOIN {s}.consumer_offset o USING (topic, part)
    WHERE (o.topic IS NULL OR i.off < o.first_offset OR i.off >= o.next_offset) AND ($1::text IS NULL OR i.tenant = $1)
"""
_OUTBOX = """
    SELECT '' AS tenant, bucket, id, record_count, created_at FROM {s}.outbox
    WHERE created_at < clock_timestamp() - interval '{age} seconds' AND ($1::text IS NULL OR true)
"""
_HALTED = """
    SELECT '' AS tenant, topic, part, halted FROM {s}.consumer_offset
    WHERE halted IS NOT NULL AND ($1::text IS NULL OR true)
"""
# Whoever asks for one tenant is told of these all the same: offsets belong to all tenants.
_EVERYBODY = "WHERE $1::text IS NULL OR true"
_ALL = (
    (
        "completeness",
        "every offset passed has an inbox row, a dead letter, a parked event or a count",
        _TRACES,
        f"SELECT sum(next_offset - first_offset) FROM {{s}}.consumer_offset {_EVERYBODY}",  # noqa: S608 - our own constants
    ),
    (
        "inbox_within_positions",
        "no inbox row lies outside the offsets that were passed",
        _BEHIND,
        "SELECT count(*) FROM {s}.inbox WHERE $1::text IS NULL OR tenant = $1",
    ),
    (
        "outbox_drained",
        f"nothing waits to be published for more than {_OUTBOX_AGE_MAX_S} s",
        _OUTBOX,
        f"SELECT count(*) FROM {{s}}.outbox {_EVERYBODY}",  # noqa: S608 - our own constants
    ),
    (
        "no_partition_halted",
        "no partition stands still for a reason that somebody must look at",
        _HALTED,
        f"SELECT count(*) FROM {{s}}.consumer_offset {_EVERYBODY}",  # noqa: S608 - our own constants
    ),
)


def completeness(service: str) -> list[Check]:
    """The checks of the mechanism in one service's schema."""
    fill = {"s": service, "compacted": _COMPACTED, "age": _OUTBOX_AGE_MAX_S}
    return [
        Check(service, name, description, differing.format(**fill), counted.format(**fill))
        for name, description, differing, counted in _ALL
    ]
