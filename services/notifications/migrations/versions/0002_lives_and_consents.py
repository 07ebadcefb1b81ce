"""Erasures with pseudonyms, what each source says of a consent, withdrawals that outlive an erasure, whole profiles.

Revision ID: 0002
"""

from alembic import op

from shared.erasures import create_erasure_v1

revision = "0002"
down_revision = "0001"

ROLE = "treue_notifications"

STATEMENTS = (
    "ALTER TABLE profile ADD COLUMN phone text, ADD COLUMN birthday date, ADD COLUMN occurred_at timestamptz",
    """
    ALTER TABLE profile ADD CONSTRAINT ck_profile_empty_v2 CHECK (
        state = 'known' OR (phone IS NULL AND birthday IS NULL AND occurred_at IS NULL))
    """,
    # effective: what held after this was said, which is something else where older or weaker words change nothing.
    """
    ALTER TABLE consent ADD COLUMN said_by text NOT NULL DEFAULT 'shop', ADD COLUMN received_at timestamptz,
        ADD COLUMN effective boolean
    """,
    "UPDATE consent SET effective = granted, received_at = recorded_at",
    # The newest word of each source, by the time when it was said.
    """
    CREATE TABLE consent_word (
        tenant text NOT NULL, customer_id text NOT NULL, channel text NOT NULL, purpose text NOT NULL,
        said_by text NOT NULL, granted boolean NOT NULL, said_at timestamptz NOT NULL,
        CONSTRAINT pk_consent_word PRIMARY KEY (tenant, customer_id, channel, purpose, said_by)
    ) WITH (fillfactor = 80)
    """,
    # Earlier releases let a list take back what it did not name (granted NULL): it stands again.
    """
    INSERT INTO consent_word
    SELECT DISTINCT ON (c.tenant, c.customer_id, channel, purpose) c.tenant, c.customer_id, channel, purpose, 'shop',
        granted, since
    FROM consent c JOIN profile p USING (tenant, customer_id) WHERE granted IS NOT NULL AND p.state <> 'erased'
    ORDER BY c.tenant, c.customer_id, channel, purpose, since DESC, granted
    """,
    # Withdrawals of who was erased, by a keyed hash of the address: they hold for whoever comes with it.
    """
    CREATE TABLE withdrawal (
        tenant text NOT NULL, address_hash bytea NOT NULL, channel text NOT NULL, purpose text NOT NULL,
        since timestamptz NOT NULL,
        CONSTRAINT pk_withdrawal PRIMARY KEY (tenant, address_hash, channel, purpose)
    )
    """,
    "CREATE TABLE address_key (key bytea NOT NULL)",
    """
    INSERT INTO address_key (key)
    SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
    """,
    # What a life of an id leaves behind goes on under the pseudonym; the role could not rewrite it.
    """
    CREATE FUNCTION pseudonymise_v1(p_tenant text, p_customer text, p_pseudonym text, p_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        IF left(p_pseudonym, 1) <> '#' THEN
            RAISE EXCEPTION '% is no pseudonym', p_pseudonym USING ERRCODE = 'check_violation';
        END IF;
        INSERT INTO profile (tenant, customer_id, state, changed_at) VALUES (p_tenant, p_pseudonym, 'erased', p_at)
        ON CONFLICT DO NOTHING;
        UPDATE message SET customer_id = p_pseudonym WHERE tenant = p_tenant AND customer_id = p_customer;
        UPDATE consent SET customer_id = p_pseudonym WHERE tenant = p_tenant AND customer_id = p_customer;
        DELETE FROM consent_word WHERE tenant = p_tenant AND customer_id = p_customer;
    END $$
    """,
    "REVOKE ALL ON FUNCTION pseudonymise_v1(text, text, text, timestamptz) FROM PUBLIC",
)
# Who had been erased by then, as if it had happened under this release.
ERASED = (
    """
    INSERT INTO erasure (tenant, customer_id, number, pseudonym, erased_at)
    SELECT tenant, customer_id, 1, '#' || left(encode(sha256(convert_to(
        tenant || E'\\n' || customer_id || E'\\n1', 'UTF8')), 'hex'), 32), changed_at
    FROM profile WHERE state = 'erased'
    """,
    "SELECT count(pseudonymise_v1(tenant, customer_id, pseudonym, erased_at)) FROM erasure",
)
GRANTS = (
    ("SELECT, INSERT, UPDATE", "consent_word"),
    ("SELECT, INSERT", "withdrawal"),
    ("SELECT", "address_key"),
    ("EXECUTE", "FUNCTION pseudonymise_v1(text, text, text, timestamptz)"),
)


def upgrade() -> None:
    create_erasure_v1(op.execute, ROLE)
    for statement in (*STATEMENTS, *ERASED):
        op.execute(statement)
    op.execute(f"REVOKE ALL ON erasure, consent_word, withdrawal, address_key FROM {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (rejoined_at) ON erasure TO {ROLE}")
    for verbs, name in GRANTS:
        op.execute(f"GRANT {verbs} ON {name} TO {ROLE}")


def downgrade() -> None:
    raise NotImplementedError("withdrawals are not taken away by a migration")
