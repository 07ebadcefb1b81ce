"""A cancelled order whose purchase comes again: what is given back has its row among the returns, and its allocation."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE order_return ADD COLUMN reinstates boolean NOT NULL DEFAULT false")
    op.execute("""
        ALTER TABLE purchase_order ADD COLUMN reinstatable boolean NOT NULL DEFAULT false,
            ADD COLUMN reinstated boolean NOT NULL DEFAULT false
    """)
    # Rows that were there before satisfied the stricter rule: there is nothing to look at.
    op.execute("""
        ALTER TABLE allocation DROP CONSTRAINT ck_allocation_points,
            ADD CONSTRAINT ck_allocation_points CHECK (points <> 0) NOT VALID
    """)


def downgrade() -> None:
    raise NotImplementedError("a ledger is not taken away by a migration")
