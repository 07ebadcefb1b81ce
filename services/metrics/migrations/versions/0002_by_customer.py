"""What is held about one customer, without looking through everybody's."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXES = (
    "CREATE INDEX ix_shop_order_customer ON shop_order (tenant, customer, order_id) WHERE customer IS NOT NULL",
    "CREATE INDEX ix_feedback_customer ON feedback (tenant, customer, event_id)",
)


def upgrade() -> None:
    for statement in INDEXES:
        op.execute(statement)
