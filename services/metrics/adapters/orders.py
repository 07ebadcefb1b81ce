"""The tables shop_order and refund."""

from collections.abc import Iterable, Sequence

from services.metrics.adapters.rows import lists
from services.metrics.domain.orders import Order, OrderKey, Refund
from shared.db import columns
from shared.db.transaction import Transaction

ORDER_COLUMNS = (
    "tenant", "order_id", "customer", "occurred_at", "business_date", "gross_minor", "refunded_minor", "cancelled",
    "event_id", "reinstated_by", "reinstatable",
)  # fmt: skip
REFUND_COLUMNS = (
    "tenant", "order_id", "event_id", "customer", "amount_minor", "occurred_at", "business_date", "refused",
    "clamped_minor", "names_lines",
)  # fmt: skip
# `amount_minor` is what was said; what counts is less by what was cut off.
READ_REFUND = ", ".join(REFUND_COLUMNS).replace("amount_minor", "amount_minor - clamped_minor")

_LOCK = f"""
    SELECT o.* FROM unnest($1::text::text[], $2::text::text[]) AS asked (tenant, order_id) CROSS JOIN LATERAL (
        SELECT {", ".join(ORDER_COLUMNS)} FROM shop_order o
        WHERE (o.tenant, o.order_id) = (asked.tenant, asked.order_id) FOR UPDATE
    ) AS o
"""  # noqa: S608 - our own column names
_UPDATE = """
    UPDATE shop_order o SET customer = new.customer, occurred_at = new.occurred_at, business_date = new.business_date,
        gross_minor = new.gross_minor, refunded_minor = new.refunded_minor, cancelled = new.cancelled,
        event_id = new.event_id, reinstated_by = new.reinstated_by, reinstatable = new.reinstatable
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::date[], $6::bigint[], $7::bigint[],
        $8::boolean[], $9::uuid[], $10::uuid[], $11::boolean[]) AS new (tenant, order_id, customer, occurred_at,
        business_date, gross_minor, refunded_minor, cancelled, event_id, reinstated_by, reinstatable)
    WHERE (o.tenant, o.order_id) = (new.tenant, new.order_id)
"""
_REFUNDS_OF = f"""
    SELECT r.* FROM unnest($1::text[], $2::text[]) AS asked (tenant, order_id) CROSS JOIN LATERAL (
        SELECT {READ_REFUND} FROM refund r
        WHERE (r.tenant, r.order_id) = (asked.tenant, asked.order_id) OFFSET 0
    ) AS r
"""  # noqa: S608 - our own column names
_SETTLE = """
    UPDATE refund r SET refused = new.refused, clamped_minor = new.clamped_minor
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::boolean[], $5::bigint[])
        AS new (tenant, order_id, event_id, refused, clamped_minor)
    WHERE (r.tenant, r.order_id, r.event_id) = (new.tenant, new.order_id, new.event_id)
"""


class OrderTable:
    """Orders and refunds in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._db = tx.raw

    async def lock(self, keys: Iterable[OrderKey]) -> list[Order]:
        """Those that exist, locked in the order of their keys until the transaction ends."""
        rows = await self._db.fetch(_LOCK, *columns.of(sorted(keys), columns.texts, columns.texts))
        return [Order(*row) for row in rows]

    async def refunds_of(self, keys: Sequence[OrderKey]) -> list[Refund]:
        """All refunds of these orders."""
        return [Refund(*row) for row in await self._db.fetch(_REFUNDS_OF, *lists(keys))]

    async def save(self, created: Iterable[Order], changed: Iterable[Order]) -> None:
        """Insert and update. Raises UniqueViolationError when another transaction created the same order: the batch is
        then done again, and finds it."""
        new = sorted((_row(order) for order in created), key=_key)
        if new:
            await self._db.copy_records_to_table("shop_order", records=new, columns=ORDER_COLUMNS)
        rows = [_row(order) for order in changed]
        if rows:
            await self._db.execute(_UPDATE, *lists(rows))

    async def save_refunds(self, new: Iterable[Refund], settled: Sequence[Refund]) -> None:
        """Append refunds; note of those that waited what they turned out to be."""
        rows = [
            (
                r.tenant, r.order_id, r.event_id, r.customer, r.amount_minor + r.clamped_minor, r.occurred_at, r.day,
                r.refused, r.clamped_minor, r.names_lines,
            )
            for r in new
        ]  # fmt: skip
        if rows:
            await self._db.copy_records_to_table("refund", records=rows, columns=REFUND_COLUMNS)
        if settled:
            values = [(r.tenant, r.order_id, r.event_id, r.refused, r.clamped_minor) for r in settled]
            await self._db.execute(_SETTLE, *lists(values))


def _row(o: Order) -> tuple[object, ...]:
    return (
        o.tenant, o.order_id, o.customer, o.occurred_at, o.day, o.gross_minor, o.refunded_minor, o.cancelled,
        o.event_id, o.reinstated_by, o.reinstatable,
    )  # fmt: skip


def _key(row: tuple[object, ...]) -> tuple[str, str]:
    return str(row[0]), str(row[1])
