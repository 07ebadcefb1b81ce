"""The ledger as it is read: a customer's entries page by page, and one entry with all that explains it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.db.transaction import Transaction

_KNOWN = "SELECT true FROM customer WHERE tenant = $1 AND customer_id = $2 AND erased_at IS NULL"
_PAGE = """
    SELECT id, kind, points, debt, balance_after, event_id, order_id, occurred_at, recorded_at, reason
    FROM entry WHERE tenant = $1 AND customer_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4
"""
_ENTRY = """
    SELECT e.id, e.customer_id, e.kind, e.points, e.debt, e.balance_after, e.event_id, e.order_id, e.occurred_at,
        e.recorded_at, e.reason, e.wallet_version, e.programme_version, e.detail
    FROM entry e JOIN customer c USING (tenant, customer_id)
    WHERE e.tenant = $1 AND e.id = $2 AND c.erased_at IS NULL
"""
_LOTS = """
    SELECT l.entry_id, a.points, l.occurred_at, l.activate_at, l.expires_at
    FROM allocation a JOIN lot l ON l.tenant = a.tenant AND l.customer_id = a.customer_id AND l.id = a.lot_id
    WHERE a.tenant = $1 AND a.entry_id = $2 ORDER BY l.occurred_at, l.entry_id
"""
_OWN_LOT = """
    SELECT amount, remaining, held, activate_at, activated, expires_at FROM lot
    WHERE tenant = $1 AND customer_id = $2 AND id = $3 AND entry_id = $4
"""
NEWEST = UUID(int=(1 << 128) - 1)


async def customer_known(tx: Transaction, tenant: str, customer_id: str) -> bool:
    """Whether there is such a customer, not erased."""
    return await tx.raw.fetchval(_KNOWN, tenant, customer_id) is not None


async def page(tx: Transaction, tenant: str, customer_id: str, before: UUID, limit: int) -> Sequence[Any]:
    """Entries older than `before`, newest first."""
    rows: Sequence[Any] = await tx.raw.fetch(_PAGE, tenant, customer_id, before, limit)
    return rows


async def entry(tx: Transaction, tenant: str, entry_id: UUID) -> Any | None:
    """One entry with its arithmetic."""
    return await tx.raw.fetchrow(_ENTRY, tenant, entry_id)


async def lots_used(tx: Transaction, tenant: str, entry_id: UUID) -> Sequence[Any]:
    """From which credits a debit took its points."""
    rows: Sequence[Any] = await tx.raw.fetch(_LOTS, tenant, entry_id)
    return rows


async def lot_filled(tx: Transaction, tenant: str, row: Any) -> Any | None:
    """The lot that a credit filled, as it is now."""
    return await tx.raw.fetchrow(_OWN_LOT, tenant, row["customer_id"], row["event_id"], row["id"])
