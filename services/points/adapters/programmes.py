"""Published versions of programmes."""

from collections.abc import Collection, Mapping
from typing import Any

from services.points.domain.programme import Programme, ReturnPolicy, Rounding, Terms
from shared.db.transaction import Transaction

_COLUMNS = """tenant, version, name, currency, time_zone, locale, points_per_unit, rounding, return_policy,
    activation_delay_days, effective_from, recorded_at"""
_SELECT = f"SELECT {_COLUMNS} FROM programme "  # noqa: S608 - column names of ours
_VERSIONS = _SELECT + "WHERE tenant = any($1) ORDER BY tenant, version"
_NEWEST = _SELECT + "WHERE tenant = $1 ORDER BY version DESC LIMIT 1"
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('programme:' || $1, 0))"
_INSERT = f"""
    INSERT INTO programme ({_COLUMNS}, published_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""  # noqa: S608 - column names of ours


class ProgrammeTable:
    """The table `programme`: rows are added and never changed."""

    async def versions(self, tx: Transaction, tenants: Collection[str]) -> Mapping[str, list[Programme]]:
        found: dict[str, list[Programme]] = {}
        for row in await tx.raw.fetch(_VERSIONS, list(tenants)):
            found.setdefault(row["tenant"], []).append(_programme(row))
        return found

    async def lock(self, tx: Transaction, tenant: str) -> None:
        """Nobody else publishes for this tenant until the transaction ends."""
        await tx.raw.execute(_ALONE, tenant)

    async def newest(self, tx: Transaction, tenant: str) -> Programme | None:
        """The newest version."""
        row = await tx.raw.fetchrow(_NEWEST, tenant)
        return None if row is None else _programme(row)

    async def publish(self, tx: Transaction, tenant: str, programme: Programme, published_by: str) -> None:
        """Add a version."""
        terms = programme.terms
        await tx.raw.execute(
            _INSERT, tenant, programme.version, terms.name, terms.currency, terms.time_zone, terms.locale,
            terms.points_per_unit, terms.rounding, terms.return_policy, terms.activation_delay_days,
            programme.effective_from, programme.recorded_at, published_by,
        )  # fmt: skip


def _programme(row: Any) -> Programme:
    terms = Terms(
        name=row["name"], currency=row["currency"], time_zone=row["time_zone"], locale=row["locale"],
        points_per_unit=row["points_per_unit"].normalize(), rounding=Rounding(row["rounding"]),
        return_policy=ReturnPolicy(row["return_policy"]), activation_delay_days=row["activation_delay_days"],
    )  # fmt: skip
    return Programme(
        version=row["version"], terms=terms, effective_from=row["effective_from"], recorded_at=row["recorded_at"]
    )
