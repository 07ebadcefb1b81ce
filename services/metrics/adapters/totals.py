"""The table day_total: each tenant's days, one row per partition and for guests and customers apart."""

from collections.abc import Mapping

from services.metrics.adapters.rows import lists
from services.metrics.domain.sums import Sums, TenantDay
from shared.db.transaction import Transaction

_ADD = """
    INSERT INTO day_total AS known (tenant, business_date, guest, part, orders, gross_minor, refunded_minor)
    SELECT * FROM unnest($1::text[], $2::date[], $3::boolean[], $4::smallint[], $5::int[], $6::bigint[], $7::bigint[])
    ON CONFLICT (tenant, business_date, guest, part) DO UPDATE SET orders = known.orders + excluded.orders,
        gross_minor = known.gross_minor + excluded.gross_minor,
        refunded_minor = known.refunded_minor + excluded.refunded_minor
"""


class TotalTable:
    """Days of tenants in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._db = tx.raw

    async def add(self, changes: Mapping[TenantDay, Sums]) -> None:
        """Add to tenants' days."""
        if changes:
            rows = sorted((*key, s.orders, s.gross_minor, s.refunded_minor) for key, s in changes.items())
            await self._db.execute(_ADD, *lists(rows))
