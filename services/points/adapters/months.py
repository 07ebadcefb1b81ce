"""The ledger is kept by months. The months ahead are made before they are needed; what falls outside of all of them
goes into the rest, where it is as good."""

from shared.db.transaction import Transaction

_MONTHS_AHEAD = 3


async def ensure_months(tx: Transaction) -> int:
    """Make this month and the next ones where they are missing; how many were made."""
    made: int = await tx.raw.fetchval("SELECT ensure_entry_months_v1($1, $2)", tx.now.date(), _MONTHS_AHEAD)
    return made
