"""A cancelled order whose purchase comes again counts again; what is cut off of a refund is kept beside it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = "treue_metrics"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE shop_order ADD COLUMN reinstated_by uuid, ADD COLUMN reinstatable boolean NOT NULL DEFAULT false
    """)
    op.execute("""
        ALTER TABLE refund ADD COLUMN clamped_minor bigint NOT NULL DEFAULT 0,
            ADD COLUMN names_lines boolean NOT NULL DEFAULT false
    """)
    # A refund that waited is cut when its order is known; what it said stays.
    op.execute(f"GRANT UPDATE (clamped_minor) ON refund TO {ROLE}")


def downgrade() -> None:
    raise NotImplementedError("what was counted is not taken away by a migration")
