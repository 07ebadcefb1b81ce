"""Erasures: what an erased customer leaves goes on under a pseudonym, and the id is free for somebody new."""

from alembic import op

from shared.erasures import create_erased_order_v1, create_erasure_v1

revision = "0003"
down_revision = "0002"

_ROLE = "treue_points"

_STATEMENTS = (
    # Orders that earned something are found by their entries; this index is for the few others.
    """
    CREATE INDEX ix_purchase_order_unrewarded ON purchase_order (tenant, customer_id)
        WHERE points = 0 AND customer_id IS NOT NULL
    """,
    # The role that works here cannot rewrite the ledger; this changes whose it is called, and nothing else. Orders that
    # were written down about when the erasure was received, or later, are put on record as the pseudonym's: a replay
    # meets the erasure first.
    """
    CREATE FUNCTION pseudonymise_v1(p_tenant text, p_customer text, p_pseudonym text, p_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        IF left(p_pseudonym, 1) <> '#' THEN
            RAISE EXCEPTION '% is no pseudonym', p_pseudonym USING ERRCODE = 'check_violation';
        END IF;
        INSERT INTO customer (tenant, customer_id, known_since, erased_at)
        SELECT p_tenant, p_pseudonym, coalesce(min(known_since), p_at), p_at FROM customer
        WHERE tenant = p_tenant AND customer_id = p_customer ON CONFLICT DO NOTHING;
        INSERT INTO customer (tenant, customer_id, known_since, erased_at) VALUES (p_tenant, p_customer, p_at, p_at)
        ON CONFLICT (tenant, customer_id) DO UPDATE SET erased_at = excluded.erased_at;
        WITH mine AS (
            SELECT order_id FROM entry
            WHERE tenant = p_tenant AND customer_id = p_customer AND order_id IS NOT NULL
            UNION SELECT order_id FROM purchase_order
            WHERE tenant = p_tenant AND customer_id = p_customer AND points = 0
        ), renamed AS (
            UPDATE purchase_order o SET customer_id = p_pseudonym FROM mine
            WHERE o.tenant = p_tenant AND o.order_id = mine.order_id AND o.customer_id = p_customer
            RETURNING o.event_id, o.recorded_at
        )
        INSERT INTO erased_order SELECT p_tenant, event_id, p_pseudonym FROM renamed
        WHERE recorded_at >= p_at - interval '1 minute' AND event_id IS NOT NULL ON CONFLICT DO NOTHING;
        UPDATE allocation a SET customer_id = p_pseudonym FROM entry e
        WHERE e.tenant = p_tenant AND e.customer_id = p_customer AND a.tenant = p_tenant AND a.entry_id = e.id;
        UPDATE entry SET customer_id = p_pseudonym WHERE tenant = p_tenant AND customer_id = p_customer;
        UPDATE lot SET customer_id = p_pseudonym WHERE tenant = p_tenant AND customer_id = p_customer;
        UPDATE wallet SET customer_id = p_pseudonym WHERE tenant = p_tenant AND customer_id = p_customer;
        INSERT INTO wallet (tenant, customer_id) VALUES (p_tenant, p_pseudonym) ON CONFLICT DO NOTHING;
    END $$
    """,
    "REVOKE ALL ON FUNCTION pseudonymise_v1(text, text, text, timestamptz) FROM PUBLIC",
    # Who had been erased by then, as if it had happened under this release.
    """
    INSERT INTO erasure (tenant, customer_id, number, pseudonym, erased_at)
    SELECT tenant, customer_id, 1, '#' || left(encode(sha256(convert_to(
        tenant || E'\\n' || customer_id || E'\\n1', 'UTF8')), 'hex'), 32), erased_at
    FROM customer WHERE erased_at IS NOT NULL
    """,
    "SELECT count(pseudonymise_v1(tenant, customer_id, pseudonym, erased_at)) FROM erasure",
)


def upgrade() -> None:
    create_erasure_v1(op.execute, _ROLE)
    create_erased_order_v1(op.execute, _ROLE)
    for statement in _STATEMENTS:
        op.execute(statement)
    op.execute(f"REVOKE ALL ON erasure, erased_order FROM {_ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (rejoined_at) ON erasure TO {_ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON erased_order TO {_ROLE}")
    op.execute(f"GRANT EXECUTE ON FUNCTION pseudonymise_v1(text, text, text, timestamptz) TO {_ROLE}")


def downgrade() -> None:
    raise NotImplementedError("a ledger is not taken away by a migration")
