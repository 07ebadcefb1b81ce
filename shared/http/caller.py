"""The caller as routes get it: `caller: Caller` in FastAPI's, `hot_caller(request, verifier)` in hot ones."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from shared.auth.principal import Principal
from shared.auth.tokens import TokenVerifier
from shared.errors import UnauthenticatedError
from shared.http.hot import HotRequest
from shared.observability.context import TENANT

# Turns a bearer credential into a Principal, or raises UnauthenticatedError.
Authenticate = Callable[[str], Awaitable[Principal]]


def credential_of(authorization: bytes | None) -> str:
    """The credential in an `Authorization: Bearer ...` header. Raises UnauthenticatedError when there is none."""
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        credential = authorization[7:].strip()
        if credential and credential.isascii():
            return credential.decode("ascii")
    raise UnauthenticatedError("A credential is needed: Authorization: Bearer <API key or token>.")


def hot_caller(request: HotRequest, verifier: TokenVerifier) -> Principal:
    """Who calls a hot route, by an internal token. Raises UnauthenticatedError."""
    principal = verifier.verify(credential_of(request.headers.get(b"authorization")))
    TENANT.set(principal.tenant)
    return principal


class _CallerDependency(SecurityBase):
    """Who calls, as a dependency. Being a SecurityBase itself, it needs no second dependency to be documented."""

    def __init__(self) -> None:
        self.model = HTTPBearer(description="An API key: one of the shop's, or the operator's.")
        self.scheme_name = "bearer"

    async def __call__(self, request: Request) -> Principal:
        """Raises UnauthenticatedError."""
        header = request.headers.get("authorization")
        authenticate: Authenticate = request.app.state.authenticate
        principal = await authenticate(credential_of(None if header is None else header.encode("latin-1")))
        TENANT.set(principal.tenant)
        return principal


CALLER = _CallerDependency()
Caller = Annotated[Principal, Depends(CALLER)]
