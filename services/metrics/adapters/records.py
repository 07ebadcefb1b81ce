"""The table customer_record: the bodies of a customer's events, and what becomes of them with an erasure."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.metrics.application.ports import CustomerRecord
from shared.db.transaction import Transaction

_COLUMNS = ("tenant", "customer", "received_at", "event_id", "type", "body")
_PAGE = """
    SELECT tenant, customer, received_at, event_id, type, body FROM customer_record
    WHERE tenant = $1 AND customer = $2 AND (received_at, event_id) > ($3, $4)
    ORDER BY received_at, event_id LIMIT $5
"""


class RecordTable:
    """Records in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._db = tx.raw

    async def append(self, records: Sequence[CustomerRecord]) -> None:
        """Keep them."""
        if records:
            await self._db.copy_records_to_table("customer_record", records=records, columns=_COLUMNS)

    async def page(
        self, tenant: str, customer: str, after: tuple[datetime, UUID], limit: int
    ) -> Sequence[CustomerRecord]:
        """A customer's records after this one, the oldest first."""
        return [CustomerRecord(*row) for row in await self._db.fetch(_PAGE, tenant, customer, *after, limit)]

    async def kept_since(self) -> datetime | None:
        """Since when there are records; None for ever since."""
        since: datetime | None = await self._db.fetchval("SELECT since FROM record_start WHERE isfinite(since)")
        return since

    async def pseudonymise(self, tenant: str, customer: str, pseudonym: str, at: datetime) -> None:
        """Figures are the pseudonym's from now on; the records are gone."""
        await self._db.execute("SELECT pseudonymise_v1($1, $2, $3, $4)", tenant, customer, pseudonym, at)
