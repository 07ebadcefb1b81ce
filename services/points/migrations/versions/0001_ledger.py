"""The ledger of points, and what surrounds it."""

from alembic import op

from shared.db.mechanism import create_mechanism_v1

revision = "0001"
down_revision = None

_ROLE = "treue_points"

_TABLES = (
    """
    CREATE TABLE programme (
        tenant text NOT NULL, version integer NOT NULL,
        name text NOT NULL, currency text NOT NULL, time_zone text NOT NULL, locale text NOT NULL,
        points_per_unit numeric(12, 6) NOT NULL, rounding text NOT NULL, return_policy text NOT NULL,
        activation_delay_days integer NOT NULL, effective_from timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL, published_by text NOT NULL,
        CONSTRAINT pk_programme PRIMARY KEY (tenant, version),
        CONSTRAINT ck_programme_version CHECK (version > 0),
        CONSTRAINT ck_programme_rate CHECK (points_per_unit >= 0),
        CONSTRAINT ck_programme_rounding CHECK (rounding IN ('floor', 'half_up', 'ceil')),
        CONSTRAINT ck_programme_return_policy CHECK (return_policy IN ('recompute', 'pro_rata', 'item')),
        CONSTRAINT ck_programme_delay CHECK (activation_delay_days >= 0)
    )
    """,
    # Known through a profile or an event; each has a wallet.
    """
    CREATE TABLE customer (
        tenant text NOT NULL, customer_id text NOT NULL, known_since timestamptz NOT NULL, erased_at timestamptz,
        CONSTRAINT pk_customer PRIMARY KEY (tenant, customer_id)
    )
    """,
    # A row without event_id is an order of which only returns have been seen.
    """
    CREATE TABLE purchase_order (
        tenant text NOT NULL, order_id text NOT NULL, event_id uuid, customer_id text,
        currency text, total_minor bigint NOT NULL DEFAULT 0, occurred_at timestamptz,
        programme_version integer, points_per_unit numeric(12, 6), rounding text, return_policy text,
        points bigint NOT NULL DEFAULT 0,
        returned_minor bigint NOT NULL DEFAULT 0, unlined_minor bigint NOT NULL DEFAULT 0,
        clawed_points bigint NOT NULL DEFAULT 0, cancelled boolean NOT NULL DEFAULT false, lines jsonb,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT pk_purchase_order PRIMARY KEY (tenant, order_id),
        CONSTRAINT ck_purchase_order_known CHECK ((event_id IS NULL) = (currency IS NULL)),
        CONSTRAINT ck_purchase_order_returned CHECK (returned_minor BETWEEN 0 AND total_minor),
        CONSTRAINT ck_purchase_order_clawed CHECK (clawed_points BETWEEN 0 AND points)
    )
    """,
    # What came back of an order, as far as it was accepted.
    """
    CREATE TABLE order_return (
        tenant text NOT NULL, order_id text NOT NULL, event_id uuid NOT NULL,
        minor bigint NOT NULL, points bigint NOT NULL, cancels boolean NOT NULL,
        occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,
        CONSTRAINT pk_order_return PRIMARY KEY (tenant, order_id, event_id)
    )
    """,
    # Returns that overtook their purchase, whole, so that they can be taken up as if they had just come.
    """
    CREATE TABLE waiting_return (
        tenant text NOT NULL, event_id uuid NOT NULL, order_id text NOT NULL,
        topic text NOT NULL, part smallint NOT NULL, off bigint NOT NULL,
        record_key text NOT NULL, value bytea NOT NULL, headers jsonb NOT NULL, record_time timestamptz NOT NULL,
        arrived_at timestamptz NOT NULL,
        outcome text, reason text, effects jsonb, decided_at timestamptz,
        CONSTRAINT pk_waiting_return PRIMARY KEY (event_id, tenant),
        CONSTRAINT ck_waiting_return_outcome CHECK (outcome IN ('applied', 'rejected')),
        CONSTRAINT ck_waiting_return_decided CHECK ((outcome IS NULL) = (decided_at IS NULL))
    )
    """,
    "CREATE INDEX ix_waiting_return_order ON waiting_return (tenant, order_id) WHERE decided_at IS NULL",
    # posted = what can be spent, held = reserved of it: G3 says that the difference is never negative.
    """
    CREATE TABLE wallet (
        tenant text NOT NULL, customer_id text NOT NULL,
        posted bigint NOT NULL DEFAULT 0, pending bigint NOT NULL DEFAULT 0, held bigint NOT NULL DEFAULT 0,
        debt bigint NOT NULL DEFAULT 0, lifetime_earned bigint NOT NULL DEFAULT 0, version bigint NOT NULL DEFAULT 0,
        next_activation_at timestamptz, newest_entry_ms bigint NOT NULL DEFAULT 0,
        CONSTRAINT pk_wallet PRIMARY KEY (tenant, customer_id),
        CONSTRAINT ck_wallet_available CHECK (held >= 0 AND posted >= held),
        CONSTRAINT ck_wallet_pending CHECK (pending >= 0),
        CONSTRAINT ck_wallet_debt CHECK (debt >= 0 AND (debt = 0 OR posted + pending = held))
    ) WITH (fillfactor = 60)
    """,
    "CREATE INDEX ix_wallet_activation ON wallet (next_activation_at) WHERE next_activation_at IS NOT NULL",
    # By month of the id (uuid7), so that the second index, which is hit at random, stays small.
    """
    CREATE TABLE entry (
        id uuid NOT NULL, tenant text NOT NULL, customer_id text NOT NULL, kind text NOT NULL,
        points bigint NOT NULL, debt bigint NOT NULL, balance_after bigint NOT NULL,
        event_id uuid NOT NULL, order_id text, occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,
        wallet_version bigint NOT NULL, programme_version integer NOT NULL, reason text NOT NULL, detail jsonb NOT NULL,
        CONSTRAINT pk_entry PRIMARY KEY (tenant, id),
        CONSTRAINT ck_entry_balance CHECK (balance_after >= 0),
        CONSTRAINT ck_entry_empty CHECK (points <> 0 OR debt <> 0 OR kind = 'activated')
    ) PARTITION BY RANGE (id)
    """,
    "CREATE INDEX ix_entry_customer ON entry (tenant, customer_id, id)",
    "CREATE TABLE entry_rest PARTITION OF entry DEFAULT",
    # One for each credit, with the id of the event that brought it; its state follows from these columns and the time.
    """
    CREATE TABLE lot (
        tenant text NOT NULL, customer_id text NOT NULL, id uuid NOT NULL, entry_id uuid NOT NULL,
        amount bigint NOT NULL, remaining bigint NOT NULL, held bigint NOT NULL DEFAULT 0,
        occurred_at timestamptz NOT NULL, activate_at timestamptz NOT NULL, activated boolean NOT NULL,
        expires_at timestamptz,
        CONSTRAINT pk_lot PRIMARY KEY (tenant, customer_id, id),
        CONSTRAINT ck_lot_amount CHECK (amount > 0),
        CONSTRAINT ck_lot_remaining CHECK (held >= 0 AND remaining >= held AND remaining <= amount)
    )
    """,
    """
    CREATE TABLE allocation (
        tenant text NOT NULL, entry_id uuid NOT NULL, lot_id uuid NOT NULL, customer_id text NOT NULL,
        points bigint NOT NULL,
        CONSTRAINT pk_allocation PRIMARY KEY (tenant, entry_id, lot_id),
        CONSTRAINT ck_allocation_points CHECK (points > 0)
    )
    """,
    # The role that works in the schema owns nothing, so that the months ahead are made in the owner's name.
    """
    CREATE FUNCTION ensure_entry_months_v1(today date, months integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
        month_start timestamptz; name text; low uuid; high uuid; made integer := 0;
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('entry_months'), hashtext(current_schema()));
        FOR ahead IN 0 .. months - 1 LOOP
            month_start := date_trunc('month', today::timestamp + ahead * interval '1 month') AT TIME ZONE 'UTC';
            name := 'entry_' || to_char(month_start AT TIME ZONE 'UTC', 'YYYY_MM');
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            low := (lpad(to_hex((extract(epoch FROM month_start) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
            high := (lpad(to_hex((extract(epoch FROM (month_start AT TIME ZONE 'UTC' + interval '1 month')
                AT TIME ZONE 'UTC') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
            CONTINUE WHEN EXISTS (SELECT FROM entry_rest WHERE id >= low AND id < high);
            EXECUTE format('CREATE TABLE %I (LIKE entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
            EXECUTE format('REVOKE ALL ON %I FROM treue_points', name);
            EXECUTE format('ALTER TABLE entry ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, low, high);
            made := made + 1;
        END LOOP;
        RETURN made;
    END $$
    """,
    "REVOKE ALL ON FUNCTION ensure_entry_months_v1(date, integer) FROM PUBLIC",
    "SELECT ensure_entry_months_v1(current_date, 3)",
)

_TABLE_NAMES = (
    "programme", "customer", "purchase_order", "order_return", "waiting_return", "wallet", "entry", "entry_rest", "lot",
    "allocation",
)  # fmt: skip

# Who wrote history cannot rewrite it.
_GRANTS = (
    ("SELECT, INSERT", "programme"),
    ("SELECT, INSERT, UPDATE (erased_at)", "customer"),
    ("SELECT, INSERT, UPDATE", "purchase_order"),
    ("SELECT, INSERT", "order_return"),
    ("SELECT, INSERT, UPDATE (outcome, reason, effects, decided_at)", "waiting_return"),
    ("SELECT, INSERT, UPDATE", "wallet"),
    ("SELECT, INSERT", "entry"),
    ("SELECT, INSERT, UPDATE (remaining, held, activated)", "lot"),
    ("SELECT, INSERT", "allocation"),
    ("EXECUTE", "FUNCTION ensure_entry_months_v1(date, integer)"),
)


def upgrade() -> None:
    create_mechanism_v1(op.execute, _ROLE)
    for statement in _TABLES:
        op.execute(statement)
    # The schema's default privileges give more than what follows.
    op.execute(f"REVOKE ALL ON {', '.join(_TABLE_NAMES)} FROM {_ROLE}")
    op.execute(f"REVOKE UPDATE, DELETE ON inbox, conflict FROM {_ROLE}")
    for verbs, name in _GRANTS:
        op.execute(f"GRANT {verbs} ON {name} TO {_ROLE}")


def downgrade() -> None:
    raise NotImplementedError("a ledger is not taken away by a migration")
