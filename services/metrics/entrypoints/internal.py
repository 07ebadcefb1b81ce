"""What the gateway asks on its own account."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.adapters.queries import programme_of
from shared.db.transaction import transaction
from shared.errors import NotFoundError
from shared.http.caller import Caller


class KnownTenant(BaseModel):
    """A tenant whose programme has arrived."""

    tenant: str
    programme_version: int


def internal_router(engine: AsyncEngine) -> APIRouter:
    """`/internal/tenants`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/tenants/{tenant}")
    async def known_tenant(tenant: str, caller: Caller) -> KnownTenant:
        caller.require_tenant(tenant)
        async with transaction(engine) as tx:
            programme = await programme_of(tx, tenant)
        if programme is None:
            raise NotFoundError("This tenant has not arrived here yet.", code="tenant_not_found")
        return KnownTenant(tenant=tenant, programme_version=programme.version)

    return router
