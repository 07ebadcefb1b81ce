"""The mechanism, and everything that the first four figures need."""

from alembic import op

from shared.db.mechanism import create_mechanism_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "treue_metrics"

TABLES = (
    """
    CREATE TABLE programme (
        tenant text NOT NULL, version integer NOT NULL, currency text NOT NULL, time_zone text NOT NULL,
        CONSTRAINT pk_programme PRIMARY KEY (tenant)
    )
    """,
    # Without event_id an order is only known by its returns or its cancellation; refunded_minor: those not refused.
    """
    CREATE TABLE shop_order (
        tenant text NOT NULL, order_id text NOT NULL, customer text,
        occurred_at timestamptz, business_date date, gross_minor bigint,
        refunded_minor bigint NOT NULL, cancelled boolean NOT NULL, event_id uuid,
        CONSTRAINT pk_shop_order PRIMARY KEY (tenant, order_id),
        CONSTRAINT ck_shop_order_known CHECK (num_nulls(event_id, occurred_at, business_date, gross_minor) IN (0, 4)),
        CONSTRAINT ck_shop_order_gross CHECK (gross_minor >= 0),
        CONSTRAINT ck_shop_order_refunded CHECK (refunded_minor >= 0 AND refunded_minor <= gross_minor)
    ) WITH (fillfactor = 90)
    """,
    """
    CREATE TABLE refund (
        tenant text NOT NULL, order_id text NOT NULL, event_id uuid NOT NULL, customer text,
        amount_minor bigint NOT NULL, occurred_at timestamptz NOT NULL, business_date date NOT NULL,
        refused boolean NOT NULL,
        CONSTRAINT pk_refund PRIMARY KEY (tenant, order_id, event_id),
        CONSTRAINT ck_refund_amount CHECK (amount_minor >= 0)
    )
    """,
    """
    CREATE TABLE customer_day (
        tenant text NOT NULL, customer text NOT NULL, business_date date NOT NULL,
        orders integer NOT NULL, gross_minor bigint NOT NULL, refunded_minor bigint NOT NULL,
        CONSTRAINT pk_customer_day PRIMARY KEY (tenant, customer, business_date),
        CONSTRAINT ck_customer_day_sums CHECK (orders >= 0 AND gross_minor >= 0 AND refunded_minor >= 0)
    ) WITH (fillfactor = 90)
    """,
    # Distinct customers and their orders in any window, from the index alone.
    """
    CREATE INDEX ix_customer_day_window ON customer_day (tenant, business_date, customer) INCLUDE (orders)
        WHERE orders > 0
    """,
    """
    CREATE TABLE customer_state (
        tenant text NOT NULL, customer text NOT NULL, first_day date, second_day date, last_day date,
        days integer NOT NULL, orders integer NOT NULL, gross_minor bigint NOT NULL, refunded_minor bigint NOT NULL,
        CONSTRAINT pk_customer_state PRIMARY KEY (tenant, customer),
        CONSTRAINT ck_customer_state_days CHECK (days >= 0 AND orders >= days AND first_day <= last_day)
    ) WITH (fillfactor = 80)
    """,
    # part: the partition that added; a row of one partition may be negative, only the sum over all means something.
    """
    CREATE TABLE day_total (
        tenant text NOT NULL, business_date date NOT NULL, guest boolean NOT NULL, part smallint NOT NULL,
        orders integer NOT NULL, gross_minor bigint NOT NULL, refunded_minor bigint NOT NULL,
        CONSTRAINT pk_day_total PRIMARY KEY (tenant, business_date, guest, part)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE feedback (
        tenant text NOT NULL, event_id uuid NOT NULL, customer text NOT NULL, kind text NOT NULL,
        score smallint NOT NULL, occurred_at timestamptz NOT NULL, business_date date NOT NULL, order_id text,
        CONSTRAINT pk_feedback PRIMARY KEY (event_id, tenant)
    )
    """,
    """
    CREATE INDEX ix_feedback_window ON feedback (tenant, kind, business_date)
        INCLUDE (customer, occurred_at, event_id, score)
    """,
)

# refund and feedback are append-only; a refund that waited for its order may turn out to be refused.
GRANTS = (
    ("SELECT, INSERT, UPDATE", "programme"),
    ("SELECT, INSERT, UPDATE", "shop_order"),
    ("SELECT, INSERT, UPDATE (refused)", "refund"),
    ("SELECT, INSERT, UPDATE", "customer_day"),
    ("SELECT, INSERT, UPDATE", "customer_state"),
    ("SELECT, INSERT, UPDATE", "day_total"),
    ("SELECT, INSERT", "feedback"),
)


def upgrade() -> None:
    create_mechanism_v1(op.execute, ROLE)
    for statement in TABLES:
        op.execute(statement)
    for verbs, table in GRANTS:
        op.execute(f"GRANT {verbs} ON {table} TO {ROLE}")
