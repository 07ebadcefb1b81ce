"""API keys over HTTP: for the operator in any tenant, for a key with keys:write in its own."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from services.gateway.adapters.keys import Keys, NewKey
from services.gateway.adapters.tenants import Tenants
from services.gateway.auth.api_key import derive, mint, secret_hash
from services.gateway.auth.credentials import Credentials
from services.gateway.entrypoints.requests import checked_key
from shared.auth.principal import Principal
from shared.auth.scopes import ADMIN, FIRST_KEY_SCOPES, KEYS_WRITE, SCOPES
from shared.clock import Clock
from shared.errors import Fault, ForbiddenError, InvalidError, NotFoundError
from shared.http.body import json_body
from shared.http.caller import Caller
from shared.http.fields import Instant
from shared.http.pagination import LIMIT_DEFAULT, Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor

KeyOnce = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Names the key: a retry shows the same one."),
]
_GRANTABLE = tuple(scope for scope in SCOPES if scope != ADMIN)


class NewApiKey(BaseModel):
    """A key to make. `tenant` is the operator's to say; a key makes keys of its own tenant, with no more scopes than
    its own."""

    model_config = ConfigDict(extra="forbid")

    tenant: str | None = None
    scopes: Annotated[list[str], Field(min_length=1, max_length=len(SCOPES), examples=[["events:write"]])]
    mode: Literal["live", "test"] = "live"
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    expires_at: Instant | None = None

    @field_validator("scopes")
    @classmethod
    def _known(cls, scopes: list[str]) -> list[str]:
        if unknown := sorted(set(scopes) - set(_GRANTABLE)):
            known = ", ".join(_GRANTABLE)
            raise PydanticCustomError("scope", f"Must be of {known}; not known: {', '.join(unknown)[:100]}.")
        return scopes


class ApiKeyShown(BaseModel):
    """A key without its secret."""

    id: str
    tenant: str
    mode: str
    scopes: list[str]
    name: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeyMade(BaseModel):
    """`api_key` is shown only now."""

    id: str
    api_key: str
    tenant: str
    mode: str
    scopes: list[str]
    expires_at: datetime | None


def keys_router(keys: Keys, tenants: Tenants, credentials: Credentials, pepper: str, clock: Clock) -> APIRouter:
    """Its routes."""
    router = APIRouter(tags=["keys"])

    @router.post("/v1/keys", status_code=201, summary="Make an API key")
    async def create(
        caller: Caller, body: Annotated[NewApiKey, json_body(NewApiKey)], idempotency_key: KeyOnce = None
    ) -> ApiKeyMade:
        """The key is shown only now. Use two of them at a time to change from one to the other without a pause.

        With an `Idempotency-Key` a repetition by the same caller shows the same key again; with another body it is
        refused with 409 `idempotency_key_reused`."""
        tenant = _tenant_for(caller, body)
        if await tenants.find(tenant) is None:
            raise NotFoundError("There is no such tenant.", code="tenant_not_found")
        now = clock.now()
        _refuse_one_that_has_ended(body, now)
        once = checked_key(idempotency_key)
        key = mint(body.mode) if once is None else derive(body.mode, pepper, tenant, caller.subject, once)
        scopes = frozenset(body.scopes)
        new = NewKey(
            tenant=tenant, id=key.id, mode=key.mode, secret_hash=secret_hash(key.secret, pepper), scopes=scopes,
            name=body.name, created_at=now, created_by=caller.subject, expires_at=body.expires_at,
        )  # fmt: skip
        await (keys.add(new) if once is None else keys.add_once(new))
        return ApiKeyMade(
            id=key.id, api_key=key.text, tenant=tenant, mode=key.mode, scopes=sorted(scopes), expires_at=body.expires_at
        )

    @router.get("/v1/keys", summary="API keys")
    async def show(
        caller: Caller, tenant: str | None = None, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> Page[ApiKeyShown]:
        """Without their secrets, which nobody has."""
        rows = await keys.page(_visible(caller, tenant), _after(cursor), limit)
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(
            items=[ApiKeyShown.model_validate(row, from_attributes=True) for row in rows[:limit]],
            next=encode_cursor({"t": last.tenant, "i": last.id}) if last else None,
        )

    @router.delete("/v1/keys/{key_id}", status_code=204, summary="Revoke an API key")
    async def revoke(caller: Caller, key_id: str) -> Response:
        """It stops to work within ten seconds, here at once."""
        if not await keys.revoke(key_id, _visible(caller, None)):
            raise NotFoundError("There is no such key.", code="key_not_found")
        credentials.forget_key(key_id)
        return Response(status_code=204)

    return router


def _refuse_one_that_has_ended(body: NewApiKey, now: datetime) -> None:
    if body.expires_at is not None and body.expires_at <= now:
        fault = Fault("/expires_at", "in_the_past", "Must be in the future.", body.expires_at.isoformat())
        raise InvalidError("The body is not acceptable.", faults=[fault])


def _tenant_for(caller: Principal, body: NewApiKey) -> str:
    if caller.may(ADMIN):
        if body.tenant is None:
            raise InvalidError(
                "The body is not acceptable.", faults=[Fault("/tenant", "required", "Say whose key it shall be.")]
            )
        return body.tenant
    caller.require(KEYS_WRITE)
    if body.tenant not in (None, caller.tenant):
        raise ForbiddenError("A key makes keys of its own tenant alone.")
    if more := sorted(set(body.scopes) - (caller.scopes & FIRST_KEY_SCOPES)):
        raise ForbiddenError(f"A key gives no scope that it does not have: {', '.join(more)}.")
    return caller.tenant


def _visible(caller: Principal, asked: str | None) -> str | None:
    """The tenant whose keys the caller may see; None: all."""
    if caller.may(ADMIN):
        return asked
    caller.require(KEYS_WRITE)
    if asked not in (None, caller.tenant):
        raise ForbiddenError("A key sees the keys of its own tenant alone.")
    return caller.tenant


def _after(cursor: str | None) -> tuple[str, str] | None:
    position: dict[str, Any] = decode_cursor(cursor)
    if not position:
        return None
    tenant, key_id = position.get("t"), position.get("i")
    if not isinstance(tenant, str) or not isinstance(key_id, str):
        raise bad_cursor()
    return tenant, key_id
