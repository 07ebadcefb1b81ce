"""What became of events that the inbox cannot tell: refunds that waited for their order."""

from uuid import UUID

from services.metrics.adapters.orders import ORDER_COLUMNS, REFUND_COLUMNS
from services.metrics.domain.fold import REFUNDED, WAITING
from services.metrics.domain.orders import Order, Refund, refusal_of
from shared.db.transaction import Transaction
from shared.http.event_status import Decision
from shared.money import to_text

# The inbox has said of which order it is: refunds have no index by their events.
_WANTED = [f"r.{column}" for column in REFUND_COLUMNS] + [f"o.{column}" for column in ORDER_COLUMNS]
_WAITED = f"""
    SELECT {", ".join(_WANTED)}, p.currency
    FROM inbox i
    JOIN programme p USING (tenant)
    JOIN refund r ON (r.tenant, r.order_id, r.event_id) = (i.tenant, i.effects -> 0 ->> 'order_id', i.event_id)
    JOIN shop_order o ON (o.tenant, o.order_id) = (r.tenant, r.order_id)
    WHERE i.event_id = $1 AND i.tenant = $2 AND i.effects -> 0 ->> 'kind' = '{WAITING}'
"""  # noqa: S608 - our own column names


async def decision_of(tx: Transaction, tenant: str, event_id: UUID) -> Decision | None:
    """None for an event of which the inbox says it all."""
    row = await tx.raw.fetchrow(_WAITED, event_id, tenant)
    if row is None:
        return None
    *values, currency = row
    refund, order = Refund(*values[: len(REFUND_COLUMNS)]), Order(*values[len(REFUND_COLUMNS) :])
    if not order.is_known:
        return Decision("accepted", "waits_for_purchase")
    if refund.refused:
        return Decision("rejected", refusal_of(order, refund))
    cut = {"clamped": to_text(refund.clamped_minor, currency)} if refund.clamped_minor else {}
    return Decision("applied", effects=[{"kind": REFUNDED, "order_id": order.order_id, **cut}])
