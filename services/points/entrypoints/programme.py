"""`/v1/programme`: read and publish a tenant's terms; and what they would give, for the gateway's quotes."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from services.points.adapters.programmes import ProgrammeTable
from services.points.application.programmes import publish
from services.points.application.quotes import quote
from services.points.entrypoints.quoted import QuoteView, purchase_of, quote_view
from services.points.entrypoints.terms import (
    ProgrammeChange,
    ProgrammeNow,
    ProgrammeView,
    etag_of,
    programme_now,
    programme_view,
)
from shared.auth.principal import Principal
from shared.auth.scopes import PROGRAMME_READ, PROGRAMME_WRITE
from shared.db.transaction import transaction
from shared.errors import NotFoundError
from shared.http.body import json_body
from shared.http.caller import Caller
from shared.http.etags import is_known, require_match
from shared.http.pagination import LIMIT_DEFAULT, Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from shared.messaging import outbox

_PROGRAMMES = ProgrammeTable()
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "It stands as you know it."}}


class KnownTenant(BaseModel):
    """A tenant that has a programme here."""

    tenant: str
    programme_version: int


def programme_router(engine: AsyncEngine) -> APIRouter:
    """The routes of the programme."""
    router = APIRouter(tags=["programme"])

    @router.get(
        "/v1/programme", summary="The programme as it is now", response_model=ProgrammeNow, responses=_UNCHANGED
    )
    async def programme(
        caller: Caller, response: Response, if_none_match: Annotated[str | None, Header()] = None
    ) -> ProgrammeNow | Response:
        """A key needs `programme:read` or `programme:write`; customers may know it.

        Its ETag, as `If-Match` of a PUT, keeps two people from undoing each other's changes."""
        _require_read(caller)
        async with transaction(engine) as tx:
            found, now = (await _PROGRAMMES.versions(tx, [caller.tenant])).get(caller.tenant), tx.now
        if not found:
            raise _not_found()
        tag = etag_of(found, now)
        if is_known(None if if_none_match is None else if_none_match.encode("latin-1"), tag.encode()):
            return Response(status_code=304, headers={"etag": tag})
        response.headers["etag"] = tag
        return programme_now(found, now)

    @router.put("/v1/programme", summary="Publish the programme, or a change of it")
    async def put_programme(
        body: Annotated[ProgrammeChange, json_body(ProgrammeChange, limit_bytes=16_384)],
        caller: Caller,
        response: Response,
        if_match: Annotated[str | None, Header(description="The ETag that GET showed.")] = None,
        if_none_match: Annotated[str | None, Header(description="`*`: only if there is none yet.")] = None,
    ) -> ProgrammeView:
        """What is left out stays. What GET shows can be put back as it is. 412 where it is not what `If-Match` says."""
        caller.require(PROGRAMME_WRITE)
        async with transaction(engine) as tx:
            await _PROGRAMMES.lock(tx, caller.tenant)
            known = (await _PROGRAMMES.versions(tx, [caller.tenant])).get(caller.tenant, [])
            require_match(if_match, if_none_match, etag_of(known, tx.now) if known else None)
            published, told = await publish(tx, _PROGRAMMES, known, caller.tenant, body.change(), caller.subject)
            await outbox.append(tx, [told] if told else [])
            response.headers["etag"] = etag_of([*known, published] if told else known, tx.now)
        return programme_view(published)

    @router.get("/v1/programme/versions", summary="Every version, newest first")
    async def versions(caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Page[ProgrammeView]:
        _require_read(caller)
        before = _position(cursor)
        async with transaction(engine) as tx:
            found = (await _PROGRAMMES.versions(tx, [caller.tenant])).get(caller.tenant, [])
        older = [each for each in reversed(found) if before is None or each.version < before]
        items = [programme_view(each) for each in older[:limit]]
        return Page(items=items, next=encode_cursor({"version": items[-1].version}) if len(older) > limit else None)

    @router.post("/v1/quotes", summary="What a purchase would earn, and why not more")
    async def post_quote(request: Request, caller: Caller) -> QuoteView:
        """The body is a purchase in the form of its event: the gateway has read and checked it."""
        async with transaction(engine) as tx:
            found, now = (await _PROGRAMMES.versions(tx, [caller.tenant])).get(caller.tenant), tx.now
        if not found:
            raise _not_found()
        return quote_view(quote(found, purchase_of(await request.body()), now), now)

    return router


def internal_router(engine: AsyncEngine) -> APIRouter:
    """What the gateway asks on its own account."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/tenants/{tenant}")
    async def known_tenant(tenant: str, caller: Caller) -> KnownTenant:
        caller.require_tenant(tenant)
        async with transaction(engine) as tx:
            newest = await _PROGRAMMES.newest(tx, tenant)
        if newest is None:
            raise NotFoundError("This tenant has not arrived here yet.", code="tenant_not_found")
        return KnownTenant(tenant=tenant, programme_version=newest.version)

    return router


def _require_read(caller: Principal) -> None:
    if caller.customer is None:
        caller.require_any(PROGRAMME_READ, PROGRAMME_WRITE)


def _position(cursor: str | None) -> int | None:
    found = decode_cursor(cursor).get("version") if cursor else None
    if cursor and not isinstance(found, int):
        raise bad_cursor()
    return found


def _not_found() -> NotFoundError:
    return NotFoundError("This tenant has no programme yet; PUT /v1/programme makes one.", code="programme_not_found")
