"""What the gateway asks on its own account."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifications.application.ports import Customers
from services.notifications.domain.customer import ProfileState
from shared.auth.scopes import CUSTOMERS_WRITE
from shared.db.transaction import transaction
from shared.errors import NotFoundError
from shared.http.caller import Caller


class KnownTenant(BaseModel):
    """A tenant whose programme has arrived."""

    tenant: str
    programme_version: int


class Life(BaseModel):
    """Whether the id was erased and has not rejoined."""

    erased: bool


def internal_router(engine: AsyncEngine, customers: Customers) -> APIRouter:
    """`/internal/tenants`, `/internal/customers`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/tenants/{tenant}")
    async def known_tenant(tenant: str, caller: Caller) -> KnownTenant:
        caller.require_tenant(tenant)
        async with transaction(engine) as tx:
            programme = (await customers.programmes(tx, [tenant])).get(tenant)
        if programme is None:
            raise NotFoundError("This tenant has not arrived here yet.", code="tenant_not_found")
        return KnownTenant(tenant=tenant, programme_version=programme.version)

    @router.get("/internal/customers/{customer_id}/life")
    async def life(customer_id: str, caller: Caller) -> Life:
        customer = caller.customer_for(customer_id, CUSTOMERS_WRITE)
        async with transaction(engine) as tx:
            found = await customers.load(tx, [(caller.tenant, customer)])
        return Life(erased=any(each.profile.state is ProfileState.ERASED for each in found.values()))

    return router
