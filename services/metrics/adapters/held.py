"""What is held about one customer, page by page."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.metrics.domain.feedback import Answer
from shared.db.transaction import Transaction

FIRST_ID = UUID(int=0)

_ORDERS = """
    SELECT order_id, event_id, occurred_at, business_date, gross_minor, refunded_minor, cancelled
    FROM shop_order WHERE tenant = $1 AND customer = $2 AND order_id > $3 ORDER BY order_id LIMIT $4
"""
_REFUNDS = """
    SELECT order_id, event_id, amount_minor - clamped_minor AS amount_minor, clamped_minor, occurred_at, business_date,
        refused
    FROM refund WHERE tenant = $1 AND order_id = ANY($2::text[]) ORDER BY order_id, occurred_at, event_id
"""
_ANSWERS = """
    SELECT tenant, event_id, customer, kind, score, occurred_at, business_date, order_id
    FROM feedback WHERE tenant = $1 AND customer = $2 AND event_id > $3 ORDER BY event_id LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """An order and all that was given back for it."""

    order: Any
    refunds: Sequence[Any]


async def orders(tx: Transaction, tenant: str, customer: str, after: str, limit: int) -> list[HeldOrder]:
    """The customer's orders by their ids."""
    found = await tx.raw.fetch(_ORDERS, tenant, customer, after, limit)
    refunds: defaultdict[str, list[Any]] = defaultdict(list)
    for refund in await tx.raw.fetch(_REFUNDS, tenant, [order["order_id"] for order in found]):
        refunds[refund["order_id"]].append(refund)
    return [HeldOrder(order, refunds[order["order_id"]]) for order in found]


async def answers(tx: Transaction, tenant: str, customer: str, after: UUID, limit: int) -> list[Answer]:
    """The customer's answers to surveys by their events' ids."""
    return [Answer(*row) for row in await tx.raw.fetch(_ANSWERS, tenant, customer, after, limit)]
