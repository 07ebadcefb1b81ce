"""The caller as FastAPI routes get it: `caller: Caller`."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from shared.auth.principal import Principal
from shared.errors import UnauthenticatedError
from shared.observability.context import TENANT

# Turns a bearer credential into a Principal, or raises UnauthenticatedError.
Authenticate = Callable[[str], Awaitable[Principal]]

_SCHEME = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An API key of the shop, or a customer's token.",
)


def credential_of(authorization: bytes | None) -> str:
    """The credential in an `Authorization: Bearer ...` header. Raises UnauthenticatedError when there is none."""
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        credential = authorization[7:].strip()
        if credential.isascii() and credential:
            return credential.decode("ascii")
    raise UnauthenticatedError("A credential is needed: Authorization: Bearer <API key or token>.")


async def current_caller(
    request: Request,
    _documented: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)] = None,
) -> Principal:
    """Who calls. Raises UnauthenticatedError."""
    header = request.headers.get("authorization")
    authenticate: Authenticate = request.app.state.authenticate
    principal = await authenticate(credential_of(None if header is None else header.encode("latin-1")))
    TENANT.set(principal.tenant)
    return principal


Caller = Annotated[Principal, Depends(current_caller)]
