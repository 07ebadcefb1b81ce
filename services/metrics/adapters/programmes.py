"""The table programme."""

from collections.abc import Iterable, Sequence

from services.metrics.adapters.rows import lists
from services.metrics.domain.programme import Programme
from shared.db.transaction import Transaction

_FIND = "SELECT tenant, version, currency, time_zone FROM programme WHERE tenant = any($1)"
_KEEP = """
    INSERT INTO programme AS known (tenant, version, currency, time_zone)
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[])
    ON CONFLICT (tenant) DO UPDATE SET
        version = excluded.version, currency = excluded.currency, time_zone = excluded.time_zone
    WHERE known.version < excluded.version
"""


class ProgrammeTable:
    """Programmes in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._db = tx.raw

    async def find(self, tenants: Iterable[str]) -> dict[str, Programme]:
        """Those that are known, by tenant."""
        rows = await self._db.fetch(_FIND, list(set(tenants)))
        return {row["tenant"]: Programme(*row) for row in rows}

    async def keep_newest(self, programmes: Sequence[Programme]) -> None:
        """Remember these where they are newer than what is known; sorted by tenant."""
        if programmes:
            rows = [(each.tenant, each.version, each.currency, each.time_zone) for each in programmes]
            await self._db.execute(_KEEP, *lists(rows))
