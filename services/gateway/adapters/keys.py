"""API keys in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.gateway.adapters.away import once_more, within
from services.gateway.adapters.tables import api_key
from services.gateway.auth.api_key import KeyMode
from services.gateway.auth.credentials import StoredKey
from shared.errors import ConflictError

_LOOK_UP_S = 1.0
_WORK_S = 1.6
_LAST_USED_STEP = timedelta(minutes=1)
_WANTED = ("tenant", "mode", "scopes", "name", "expires_at")
_SHOWN = tuple(column for column in api_key.c if column.name != "secret_hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to store."""

    tenant: str
    id: str
    mode: KeyMode
    secret_hash: bytes
    scopes: frozenset[str]
    name: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None


class Keys:
    """The table of keys."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, key_id: str) -> StoredKey | None:
        """For authentication: a key by its id, noting that it is used. Raises UnavailableError within a second."""
        return await once_more(lambda: self._find(key_id), within_s=_LOOK_UP_S)

    async def _find(self, key_id: str) -> StoredKey | None:
        async with within(self._engine, _LOOK_UP_S) as tx:
            row = (await tx.sa.execute(select(api_key).where(api_key.c.id == key_id))).one_or_none()
            if row is None:
                return None
            if row.last_used_at is None or tx.now - row.last_used_at > _LAST_USED_STEP:
                await tx.sa.execute(update(api_key).where(api_key.c.id == key_id).values(last_used_at=tx.now))
        return _stored(row)

    async def add(self, key: NewKey) -> None:
        """Store a key of a tenant that exists."""
        async with within(self._engine, _WORK_S) as tx:
            await add_key(tx.sa, key)

    async def add_once(self, key: NewKey) -> None:
        """Store a key whose id names the request that makes it; the same request again finds it.

        Raises ConflictError when that request wanted another key, or when the key was revoked since.
        """
        async with within(self._engine, _WORK_S) as tx:
            values = _values(key)
            new = upsert(api_key).values(values).on_conflict_do_nothing(index_elements=["id"])
            if (await tx.sa.execute(new.returning(api_key.c.id))).one_or_none() is not None:
                return
            row = (await tx.sa.execute(select(api_key).where(api_key.c.id == key.id))).one()
        if any(getattr(row, name) != values[name] for name in _WANTED):
            raise ConflictError(
                "This Idempotency-Key made another key: a repetition has the same body.", code="idempotency_key_reused"
            )
        if row.revoked_at is not None:
            raise ConflictError("The key that this Idempotency-Key made was revoked.", code="key_revoked")

    async def page(self, tenant: str | None, after: tuple[str, str] | None, limit: int) -> Sequence[Any]:
        """Keys without their hashes, by (tenant, id); one more than `limit`, if there are more."""
        asked = select(*_SHOWN).order_by(api_key.c.tenant, api_key.c.id).limit(limit + 1)
        if tenant is not None:
            asked = asked.where(api_key.c.tenant == tenant)
        if after is not None:
            asked = asked.where(tuple_(api_key.c.tenant, api_key.c.id) > after)
        async with within(self._engine, _WORK_S) as tx:
            return (await tx.sa.execute(asked)).all()

    async def revoke(self, key_id: str, tenant: str | None) -> bool:
        """Make a key useless; a second time changes nothing. False when there is none, or not of this tenant."""
        async with within(self._engine, _WORK_S) as tx:
            row = (await tx.sa.execute(select(api_key).where(api_key.c.id == key_id))).one_or_none()
            if row is None or (tenant is not None and row.tenant != tenant):
                return False
            if row.revoked_at is None:
                await tx.sa.execute(update(api_key).where(api_key.c.id == key_id).values(revoked_at=tx.now))
        return True


async def add_key(connection: AsyncConnection, key: NewKey) -> None:
    """Store a key in an open transaction."""
    await connection.execute(insert(api_key).values(_values(key)))


def _values(key: NewKey) -> dict[str, Any]:
    return {
        "tenant": key.tenant, "id": key.id, "mode": key.mode, "secret_hash": key.secret_hash,
        "scopes": sorted(key.scopes), "name": key.name, "created_at": key.created_at, "created_by": key.created_by,
        "expires_at": key.expires_at,
    }  # fmt: skip


def _stored(row: Any) -> StoredKey:
    return StoredKey(row.id, row.tenant, row.secret_hash, frozenset(row.scopes), row.expires_at, row.revoked_at)
