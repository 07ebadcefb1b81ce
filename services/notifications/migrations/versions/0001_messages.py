"""Programmes, profiles, consents and messages.

Revision ID: 0001
"""

from alembic import op

from shared.db.mechanism import create_mechanism_v1

revision = "0001"
down_revision = None

ROLE = "treue_notifications"

TABLES = (
    """
    CREATE TABLE programme (
        tenant text NOT NULL, version integer NOT NULL,
        name text NOT NULL, currency text NOT NULL, time_zone text NOT NULL, locale text NOT NULL,
        CONSTRAINT pk_programme PRIMARY KEY (tenant)
    )
    """,
    # A row for everybody who was ever seen; its lock orders whoever writes messages of a customer or changes them.
    """
    CREATE TABLE profile (
        tenant text NOT NULL, customer_id text NOT NULL, state text NOT NULL DEFAULT 'missing',
        email text, name text, locale text, time_zone text, kind text, changed_at timestamptz NOT NULL,
        CONSTRAINT pk_profile PRIMARY KEY (tenant, customer_id),
        CONSTRAINT ck_profile_state CHECK (state IN ('missing', 'known', 'erased')),
        CONSTRAINT ck_profile_empty CHECK (
            state = 'known' OR (email IS NULL AND name IS NULL AND locale IS NULL AND time_zone IS NULL))
    ) WITH (fillfactor = 80)
    """,
    # Append-only: the proof of what was allowed when. granted NULL: no longer said.
    """
    CREATE TABLE consent (
        tenant text NOT NULL, customer_id text NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY,
        channel text NOT NULL, purpose text NOT NULL, granted boolean,
        since timestamptz NOT NULL, event_id uuid NOT NULL, recorded_at timestamptz NOT NULL,
        CONSTRAINT pk_consent PRIMARY KEY (tenant, customer_id, seq),
        CONSTRAINT ck_consent_purpose CHECK (purpose IN ('service', 'marketing'))
    )
    """,
    # Addresses that refused mail for good; only a hash, so that an erasure need not touch it.
    """
    CREATE TABLE suppression (
        tenant text NOT NULL, address_hash bytea NOT NULL,
        reason text NOT NULL, message_id uuid NOT NULL, since timestamptz NOT NULL,
        CONSTRAINT pk_suppression PRIMARY KEY (tenant, address_hash)
    )
    """,
    # due_at: waiting, until then for a profile; queued, the next attempt; sending, the end of the sender's lease.
    # claims counts who took it and fences off whoever took it before; attempts counts the answers about it.
    """
    CREATE TABLE message (
        tenant text NOT NULL, id uuid NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY, customer_id text NOT NULL,
        cause_id uuid NOT NULL, origin_id uuid NOT NULL, template text NOT NULL, channel text NOT NULL,
        purpose text NOT NULL, facts jsonb NOT NULL,
        status text NOT NULL, reason text, due_at timestamptz,
        claims integer NOT NULL DEFAULT 0, attempts integer NOT NULL DEFAULT 0,
        locale text, subject text, text text, html text, message_id_header text,
        correlation_id text NOT NULL, traceparent text NOT NULL,
        created_at timestamptz NOT NULL, claimed_at timestamptz, sent_at timestamptz,
        CONSTRAINT pk_message PRIMARY KEY (tenant, id),
        CONSTRAINT uq_message_cause UNIQUE (tenant, cause_id, template, channel),
        CONSTRAINT ck_message_channel CHECK (channel IN ('inapp', 'email')),
        CONSTRAINT ck_message_purpose CHECK (purpose IN ('service', 'marketing')),
        CONSTRAINT ck_message_status CHECK (
            status IN ('waiting', 'queued', 'sending', 'sent', 'failed', 'skipped', 'bounced')),
        CONSTRAINT ck_message_due CHECK ((due_at IS NOT NULL) = (status IN ('waiting', 'queued', 'sending'))),
        CONSTRAINT ck_message_sent CHECK ((sent_at IS NOT NULL) = (status = 'sent')),
        CONSTRAINT ck_message_reason CHECK (reason IS NOT NULL OR status NOT IN ('failed', 'skipped', 'bounced'))
    ) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02)
    """,
    "CREATE INDEX ix_message_customer ON message (tenant, customer_id, seq)",
    "CREATE INDEX ix_message_due ON message (due_at) WHERE status IN ('queued', 'sending')",
    "CREATE INDEX ix_message_waiting ON message (due_at) WHERE status = 'waiting'",
    """
    CREATE TABLE attempt (
        tenant text NOT NULL, message_id uuid NOT NULL, claim integer NOT NULL,
        stage text NOT NULL, code smallint NOT NULL, enhanced text NOT NULL, outcome text NOT NULL,
        ended_at timestamptz NOT NULL,
        CONSTRAINT pk_attempt PRIMARY KEY (tenant, message_id, claim)
    )
    """,
    # The life of a message (services/notifications/domain/message.py), kept by the database too.
    """
    CREATE FUNCTION message_status_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (OLD.status, NEW.status) IN (
            ('waiting', 'queued'), ('waiting', 'skipped'),
            ('queued', 'sending'), ('queued', 'skipped'), ('queued', 'failed'),
            ('sending', 'queued'), ('sending', 'sent'), ('sending', 'failed'), ('sending', 'bounced'),
            ('sending', 'skipped')
        ) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a message that is % cannot become %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END $$
    """,
    """
    CREATE TRIGGER message_status_changes BEFORE UPDATE OF status ON message
        FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION message_status_changes()
    """,
)

GRANTS = (
    ("SELECT, INSERT, UPDATE", "programme"),
    ("SELECT, INSERT, UPDATE", "profile"),
    ("SELECT, INSERT", "consent"),
    ("SELECT, INSERT", "suppression"),
    ("SELECT, INSERT, UPDATE", "message"),
    ("SELECT, INSERT", "attempt"),
)


def upgrade() -> None:
    create_mechanism_v1(op.execute, ROLE)
    for statement in TABLES:
        op.execute(statement)
    for verbs, table in GRANTS:
        op.execute(f"GRANT {verbs} ON {table} TO {ROLE}")


def downgrade() -> None:
    for table in ("attempt", "message", "suppression", "consent", "profile", "programme"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION message_status_changes")
