"""What customers' events said, kept for their export; erasures, with figures that go on under a pseudonym."""

from alembic import op

from shared.erasures import create_erased_order_v1, create_erasure_v1

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = "treue_metrics"

STATEMENTS = (
    # The bodies of a customer's events as they were received. What is personal in them goes with an erasure.
    """
    CREATE TABLE customer_record (
        tenant text NOT NULL, customer text NOT NULL, received_at timestamptz NOT NULL, event_id uuid NOT NULL,
        type text NOT NULL, body text NOT NULL,
        CONSTRAINT pk_customer_record PRIMARY KEY (tenant, customer, received_at, event_id)
    )
    """,
    # Of events that an earlier release worked on there are no records.
    "CREATE TABLE record_start (since timestamptz NOT NULL)",
    "INSERT INTO record_start SELECT coalesce((SELECT clock_timestamp() FROM inbox LIMIT 1), '-infinity')",
    "CREATE INDEX ix_refund_customer ON refund (tenant, customer) WHERE customer IS NOT NULL",
    # A refund names nobody any more, an order whose purchase has not come neither: they only name to be checked. Orders
    # that were booked about when the erasure was received, or later, are put on record as the pseudonym's.
    """
    CREATE FUNCTION pseudonymise_v1(p_tenant text, p_customer text, p_pseudonym text, p_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        IF left(p_pseudonym, 1) <> '#' THEN
            RAISE EXCEPTION '% is no pseudonym', p_pseudonym USING ERRCODE = 'check_violation';
        END IF;
        WITH renamed AS (
            UPDATE shop_order SET customer = CASE WHEN event_id IS NOT NULL THEN p_pseudonym END
            WHERE tenant = p_tenant AND customer = p_customer RETURNING event_id
        )
        INSERT INTO erased_order SELECT p_tenant, i.event_id, p_pseudonym
        FROM renamed r JOIN inbox i ON (i.event_id, i.tenant) = (r.event_id, p_tenant)
        WHERE i.applied_at >= p_at - interval '1 minute' ON CONFLICT DO NOTHING;
        UPDATE refund SET customer = NULL WHERE tenant = p_tenant AND customer = p_customer;
        UPDATE customer_day SET customer = p_pseudonym WHERE tenant = p_tenant AND customer = p_customer;
        UPDATE customer_state SET customer = p_pseudonym WHERE tenant = p_tenant AND customer = p_customer;
        UPDATE feedback SET customer = p_pseudonym WHERE tenant = p_tenant AND customer = p_customer;
        DELETE FROM customer_record WHERE tenant = p_tenant AND customer = p_customer;
    END $$
    """,
    "REVOKE ALL ON FUNCTION pseudonymise_v1(text, text, text, timestamptz) FROM PUBLIC",
)
GRANTS = (
    ("SELECT, INSERT", "customer_record"),
    ("SELECT", "record_start"),
    ("SELECT, INSERT, UPDATE (rejoined_at)", "erasure"),
    ("SELECT, INSERT", "erased_order"),
    ("EXECUTE", "FUNCTION pseudonymise_v1(text, text, text, timestamptz)"),
)


def upgrade() -> None:
    create_erasure_v1(op.execute, ROLE)
    create_erased_order_v1(op.execute, ROLE)
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(f"REVOKE ALL ON customer_record, record_start, erasure, erased_order FROM {ROLE}")
    for verbs, name in GRANTS:
        op.execute(f"GRANT {verbs} ON {name} TO {ROLE}")
