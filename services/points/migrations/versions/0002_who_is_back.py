"""Who of a batch had been erased: asked by every batch, and true of hardly anybody."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_customer_erased ON customer (tenant, customer_id) WHERE erased_at IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("a ledger is not taken away by a migration")
