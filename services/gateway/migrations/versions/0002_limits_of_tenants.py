"""How many events a second a tenant may bring, where that is not what all may."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE tenant ADD COLUMN events_per_s integer CONSTRAINT ck_tenant_limit CHECK (events_per_s > 0)")
