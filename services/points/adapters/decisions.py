"""What became of events that the inbox cannot tell: returns that waited for their purchase."""

from uuid import UUID

from shared.db.transaction import Transaction
from shared.http.event_status import Decision

_FOUND = "SELECT outcome, reason, effects FROM waiting_return WHERE event_id = $1 AND tenant = $2"


async def decision_of(tx: Transaction, tenant: str, event_id: UUID) -> Decision | None:
    """None for an event of which the inbox says it all."""
    row = await tx.raw.fetchrow(_FOUND, event_id, tenant)
    if row is None:
        return None
    if row["outcome"] is None:
        return Decision("accepted", "waits_for_purchase", [])
    return Decision(row["outcome"], row["reason"], row["effects"] or [])
