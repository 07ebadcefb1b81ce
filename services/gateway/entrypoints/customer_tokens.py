"""Tokens for customers: what a shop's server gives to its app, so that the app can ask for its own customer."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.ingest.fields import CustomerId
from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_READ, EXPORT_OWN, TOKENS_WRITE
from shared.auth.tokens import CUSTOMER_AUDIENCE, TokenSigner
from shared.clock import Clock
from shared.http.body import json_body
from shared.http.caller import Caller

_TTL_DEFAULT_S = 3_600
_TTL_MAX_S = 86_400


class NewCustomerToken(BaseModel):
    """For whom, and for how many seconds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    customer_id: CustomerId
    ttl_s: Annotated[int, Field(ge=60, le=_TTL_MAX_S)] = _TTL_DEFAULT_S


class CustomerToken(BaseModel):
    """A bearer credential for one customer."""

    token: str
    expires_at: datetime


def customer_tokens_router(signer: TokenSigner, clock: Clock) -> APIRouter:
    """Its route."""
    router = APIRouter(tags=["customers"])

    @router.post("/v1/customer-tokens", status_code=201, summary="A short-lived token for one customer")
    async def create(caller: Caller, body: Annotated[NewCustomerToken, json_body(NewCustomerToken)]) -> CustomerToken:
        """It sees this customer and nobody else, and may post their own feedback and activities. It ends with the key
        that made it: within ten seconds after that is revoked or has expired. It exports all that is held about the
        customer only if that key has `customers:read`: a till that may hand out tokens must not take everybody's data
        away with them.

        Nothing is stored, so that asking twice is harmless: an `Idempotency-Key` is not needed, and ignored."""
        caller.require(TOKENS_WRITE)
        expires_at = clock.now() + timedelta(seconds=body.ttl_s)
        scopes = frozenset({EXPORT_OWN}) if caller.may(CUSTOMERS_READ) else frozenset[str]()
        principal = Principal(caller.tenant, scopes, body.customer_id, caller.subject)
        return CustomerToken(token=signer.sign(principal, body.ttl_s, CUSTOMER_AUDIENCE), expires_at=expires_at)

    return router
