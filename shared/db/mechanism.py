"""The tables of the mechanism, the same in every service's schema; created by the service's first migration.

    consumer_offset   where each partition stands; its row is the lock and the fence of whoever works on the partition
    inbox             one row for every event that had its effect: who comes again is recognised here
    conflict          an event id that came again with another body
    dead_letter       events that could not be applied, with their bytes and the reason
    parked_event      events that wait: behind a dead letter of their key, or for something not known yet
    outbox            what the committed transactions have to publish, and outbox_bucket, the leases on it

The statements are frozen: a later change is a new function and a new migration, never an edit here.
"""

from collections.abc import Callable

OUTBOX_BUCKETS = 12

# A dead letter and a parked event keep the whole record, so that it can be applied later as if it had just come.
_RECORD_COLUMNS = """
    topic text NOT NULL, part smallint NOT NULL, off bigint NOT NULL,
    record_key text NOT NULL, value bytea, headers jsonb NOT NULL, record_time timestamptz NOT NULL
"""

_TABLES_V1 = (
    """
    CREATE TABLE consumer_offset (
        topic text NOT NULL, part smallint NOT NULL,
        first_offset bigint NOT NULL, next_offset bigint NOT NULL,
        epoch bigint NOT NULL, cluster_id text NOT NULL,
        last_hash bytea, last_record_at timestamptz, caught_up_at timestamptz,
        duplicates bigint NOT NULL DEFAULT 0, conflicts bigint NOT NULL DEFAULT 0,
        ignored bigint NOT NULL DEFAULT 0, gaps bigint NOT NULL DEFAULT 0,
        consecutive_dead integer NOT NULL DEFAULT 0, halted text, owner text,
        CONSTRAINT pk_consumer_offset PRIMARY KEY (topic, part),
        CONSTRAINT ck_consumer_offset_forward CHECK (next_offset >= first_offset)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE inbox (
        tenant text NOT NULL, event_id uuid NOT NULL, body_hash bytea NOT NULL,
        outcome text NOT NULL, reason text, effects jsonb,
        topic text NOT NULL, part smallint NOT NULL, off bigint NOT NULL, applied_at timestamptz NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (event_id, tenant),
        CONSTRAINT ck_inbox_outcome CHECK (outcome IN ('applied', 'rejected'))
    )
    """,
    """
    CREATE TABLE conflict (
        tenant text NOT NULL, event_id uuid NOT NULL, body_hash bytea NOT NULL,
        topic text NOT NULL, part smallint NOT NULL, off bigint NOT NULL, received_at timestamptz NOT NULL,
        CONSTRAINT pk_conflict PRIMARY KEY (event_id, tenant, topic, part, off)
    )
    """,
    f"""
    CREATE TABLE dead_letter (
        id uuid NOT NULL, tenant text NOT NULL, event_id uuid, {_RECORD_COLUMNS},
        error text NOT NULL, detail text NOT NULL, code_version text NOT NULL,
        blocks_key boolean NOT NULL, state text NOT NULL DEFAULT 'open',
        created_at timestamptz NOT NULL, resolved_at timestamptz,
        CONSTRAINT pk_dead_letter PRIMARY KEY (id),
        CONSTRAINT uq_dead_letter_position UNIQUE (topic, part, off),
        CONSTRAINT ck_dead_letter_state CHECK (state IN ('open', 'retried', 'discarded'))
    )
    """,
    "CREATE INDEX ix_dead_letter_key ON dead_letter (record_key) WHERE state = 'open' AND blocks_key",
    f"""
    CREATE TABLE parked_event (
        {_RECORD_COLUMNS}, tenant text NOT NULL, event_id uuid NOT NULL,
        reason text NOT NULL, parked_at timestamptz NOT NULL, tried_at timestamptz NOT NULL,
        CONSTRAINT pk_parked_event PRIMARY KEY (topic, part, off)
    )
    """,
    "CREATE INDEX ix_parked_event_key ON parked_event (record_key, off)",
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY, bucket smallint NOT NULL,
        records bytea NOT NULL, record_count integer NOT NULL, created_at timestamptz NOT NULL,
        CONSTRAINT pk_outbox PRIMARY KEY (bucket, id)
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500)
    """,
    """
    CREATE TABLE outbox_bucket (
        bucket smallint NOT NULL, last_run timestamptz NOT NULL,
        CONSTRAINT pk_outbox_bucket PRIMARY KEY (bucket)
    ) WITH (fillfactor = 50)
    """,
    # The only value is our own constant.
    f"INSERT INTO outbox_bucket SELECT bucket, 'epoch' FROM generate_series(0, {OUTBOX_BUCKETS - 1}) AS bucket",  # noqa: S608
)

# inbox, conflict: who wrote history cannot rewrite it. Statistics of consumer_offset and leases are updated in place.
_GRANTS_V1 = (
    ("SELECT, INSERT, UPDATE", "consumer_offset"),
    ("SELECT, INSERT", "inbox"),
    ("SELECT, INSERT", "conflict"),
    ("SELECT, INSERT, UPDATE", "dead_letter"),
    ("SELECT, INSERT, UPDATE, DELETE", "parked_event"),
    ("SELECT, INSERT, DELETE", "outbox"),
    ("SELECT, UPDATE", "outbox_bucket"),
)


def create_mechanism_v1(execute: Callable[[str], object], role: str) -> None:
    """Create the mechanism's tables in the current schema and let `role` use them."""
    for statement in _TABLES_V1:
        execute(statement)
    for verbs, table in _GRANTS_V1:
        execute(f"GRANT {verbs} ON {table} TO {role}")
