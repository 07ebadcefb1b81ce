"""The operator's routes: tenants."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.adapters.tenants import Registration, Tenants
from services.gateway.tenants.creation import CreateTenant, TenantCreation
from services.gateway.tenants.directory import TenantDirectory
from shared.auth.scopes import ADMIN
from shared.errors import NotFoundError
from shared.http.body import json_body
from shared.http.caller import Caller
from shared.http.fields import Currency, DisplayName, Locale, TimeZone
from shared.http.pagination import LIMIT_DEFAULT, Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from shared.observability.context import CORRELATION_ID

_NAME = r"^[a-z0-9][a-z0-9-]{1,62}$"
_is_name = re.compile(_NAME).search


class NewTenant(BaseModel):
    """A merchant's programme to make. `name` is its name in URLs and keys for ever."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=_NAME, examples=["demo"])]
    currency: Currency
    time_zone: TimeZone = "Europe/Berlin"
    locale: Locale = "de-DE"
    points_per_unit: Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$", examples=["1"])] = "1"
    display_name: DisplayName | None = None
    mode: Literal["live", "test"] = "live"


class TenantMade(BaseModel):
    """The tenant and its first key, which is shown only now."""

    tenant: str
    api_key: str


class TenantShown(BaseModel):
    """A tenant."""

    tenant: str
    name: str
    display_name: str | None
    currency: str
    time_zone: str
    locale: str
    programme_version: int
    created_at: datetime
    events_per_s: int | None = Field(description="Its own limit; null where the installation's counts.")


class TenantLimit(BaseModel):
    """How many events a second the tenant may bring through one gateway; null for what all may."""

    model_config = ConfigDict(extra="forbid", strict=True)

    events_per_s: Annotated[int, Field(ge=1, le=1_000_000)] | None


def tenants_router(tenants: Tenants, creation: TenantCreation, directory: TenantDirectory) -> APIRouter:
    """Its routes, for the operator alone."""
    router = APIRouter(tags=["operator"])

    @router.post("/v1/tenants", status_code=201, summary="Make a tenant")
    async def create(caller: Caller, body: Annotated[NewTenant, json_body(NewTenant)]) -> TenantMade:
        """Returns when every service knows the tenant. After a 503 the same request goes on where it stopped.

        The name is what makes it happen once, and an `Idempotency-Key` adds nothing: a tenant that has a key is not
        made again (409 `tenant_exists`), and its first key is not shown again."""
        caller.require(ADMIN)
        made = await creation.create(_command(body, caller.subject), CORRELATION_ID.get())
        return TenantMade(tenant=made.tenant, api_key=made.api_key)

    @router.get("/v1/tenants", summary="All tenants")
    async def show(caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Page[TenantShown]:
        """By name."""
        caller.require(ADMIN)
        rows = await tenants.page(_after(cursor), limit)
        more = encode_cursor({"t": rows[limit - 1].tenant}) if len(rows) > limit else None
        return Page(items=[_shown(row) for row in rows[:limit]], next=more)

    @router.put("/v1/tenants/{tenant}/limit", summary="Limit how many events a tenant may bring")
    async def limit(tenant: str, caller: Caller, body: Annotated[TenantLimit, json_body(TenantLimit)]) -> TenantShown:
        """Over all its keys and its customers' tokens. Every gateway heeds it within three seconds."""
        caller.require(ADMIN)
        row = await tenants.limit(tenant, body.events_per_s) if _is_name(tenant) else None
        if row is None:
            raise NotFoundError("There is no such tenant.", code="tenant_not_found")
        directory.forget(tenant)
        return _shown(row)

    return router


def _command(body: NewTenant, asked_by: str) -> CreateTenant:
    registration = Registration(
        name=body.name,
        currency=body.currency,
        time_zone=body.time_zone,
        locale=body.locale,
        display_name=body.display_name,
    )
    return CreateTenant(
        registration=registration, points_per_unit=body.points_per_unit, mode=body.mode, asked_by=asked_by
    )


def _shown(row: Any) -> TenantShown:
    return TenantShown(
        tenant=row.tenant, name=row.tenant, display_name=row.display_name, currency=row.currency,
        time_zone=row.time_zone, locale=row.locale, programme_version=row.programme_version,
        created_at=row.created_at, events_per_s=row.events_per_s,
    )  # fmt: skip


def _after(cursor: str | None) -> str | None:
    position = decode_cursor(cursor)
    after = position.get("t")
    if position and not isinstance(after, str):
        raise bad_cursor()
    return after
