"""Tenants in Postgres: registered by the operator, completed by their programme's events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.gateway.adapters.away import once_more, within
from services.gateway.adapters.keys import NewKey, add_key
from services.gateway.adapters.tables import api_key, tenant
from services.gateway.tenants.tenant import Tenant

_LOOK_UP_S = 1.0
_WORK_S = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A tenant to make."""

    name: str
    currency: str
    time_zone: str
    locale: str
    display_name: str | None


class Tenants:
    """The table of tenants."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, name: str) -> Tenant | None:
        """A tenant by name. Raises UnavailableError within a second."""
        return await once_more(lambda: self._find(name), within_s=_LOOK_UP_S)

    async def _find(self, name: str) -> Tenant | None:
        async with within(self._engine, _LOOK_UP_S) as tx:
            row = (await tx.sa.execute(select(tenant).where(tenant.c.tenant == name))).one_or_none()
        return None if row is None else _tenant(row)

    async def page(self, after: str | None, limit: int) -> Sequence[Any]:
        """Tenants by name; one more than `limit`, if there are more."""
        asked = select(tenant).order_by(tenant.c.tenant).limit(limit + 1)
        if after is not None:
            asked = asked.where(tenant.c.tenant > after)
        async with within(self._engine, _WORK_S) as tx:
            return (await tx.sa.execute(asked)).all()

    async def register(self, wanted: Registration) -> tuple[Tenant, bool]:
        """Make the tenant, or find the one that has this name; and whether it has a key already."""
        async with within(self._engine, _WORK_S) as tx:
            await tx.sa.execute(
                insert(tenant)
                .values(
                    tenant=wanted.name, display_name=wanted.display_name, currency=wanted.currency,
                    time_zone=wanted.time_zone, locale=wanted.locale, programme_version=0, created_at=tx.now,
                )
                .on_conflict_do_nothing()
            )  # fmt: skip
            row = (await tx.sa.execute(select(tenant).where(tenant.c.tenant == wanted.name))).one()
            has_key = await _has_key(tx.sa, wanted.name)
        return _tenant(row), has_key

    async def limit(self, name: str, events_per_s: int | None) -> Any:
        """Let the tenant bring so many events a second, None for the installation's limit. The tenant's row; None where
        there is no such tenant."""
        changed = update(tenant).where(tenant.c.tenant == name).values(events_per_s=events_per_s)
        async with within(self._engine, _WORK_S) as tx:
            return (await tx.sa.execute(changed.returning(*tenant.c))).one_or_none()

    async def add_first_key(self, key: NewKey) -> bool:
        """Store the tenant's first key; False when somebody else made one meanwhile."""
        async with within(self._engine, _WORK_S) as tx:
            await tx.sa.execute(select(tenant.c.tenant).where(tenant.c.tenant == key.tenant).with_for_update())
            if await _has_key(tx.sa, key.tenant):
                return False
            await add_key(tx.sa, key)
        return True


async def note_programmes(connection: AsyncConnection, found: Iterable[Tenant], now: Any) -> None:
    """Remember the newest version of these tenants' programmes."""
    for one in sorted(found, key=lambda each: each.tenant):
        new = insert(tenant).values(
            tenant=one.tenant, currency=one.currency, time_zone=one.time_zone, locale=one.locale,
            programme_version=one.programme_version, created_at=now,
        )  # fmt: skip
        known = ("currency", "time_zone", "locale", "programme_version")
        await connection.execute(
            new.on_conflict_do_update(
                index_elements=["tenant"],
                set_={name: new.excluded[name] for name in known},
                where=tenant.c.programme_version < new.excluded.programme_version,
            )
        )


async def _has_key(connection: AsyncConnection, name: str) -> bool:
    count = await connection.scalar(select(func.count()).select_from(api_key).where(api_key.c.tenant == name))
    return bool(count)


def _tenant(row: Any) -> Tenant:
    return Tenant(row.tenant, row.currency, row.time_zone, row.locale, row.programme_version, row.events_per_s)
