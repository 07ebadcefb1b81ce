"""What the gateway asks on its own account."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifications.application.ports import Customers
from shared.db.transaction import transaction
from shared.errors import NotFoundError
from shared.http.caller import Caller


class KnownTenant(BaseModel):
    """A tenant whose programme has arrived."""

    tenant: str
    programme_version: int


def internal_router(engine: AsyncEngine, customers: Customers) -> APIRouter:
    """`/internal/tenants`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/tenants/{tenant}")
    async def known_tenant(tenant: str, _caller: Caller) -> KnownTenant:
        async with transaction(engine) as tx:
            programme = (await customers.programmes(tx, [tenant])).get(tenant)
        if programme is None:
            raise NotFoundError("This tenant has not arrived here yet.", code="tenant_not_found")
        return KnownTenant(tenant=tenant, programme_version=programme.version)

    return router
