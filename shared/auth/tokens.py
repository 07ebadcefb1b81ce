"""Internal tokens: what the gateway makes of every credential, and the only thing that services believe.

A token is a JWT signed by EdDSA (Ed25519), short-lived, for one audience. Verifying costs a tenth of a millisecond, so
a verified token is remembered until it expires: afterwards it is a dictionary look-up.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from shared.auth.principal import Principal
from shared.clock import Clock
from shared.errors import UnauthenticatedError

ISSUER: Final = "treue"
AUDIENCE: Final = "treue"
# Customers' tokens are for the gateway alone, which knows whether the key that made one is still good.
CUSTOMER_AUDIENCE: Final = "treue-customer"
_ALGORITHM = "EdDSA"
_TYPE = "treue+jwt"
_LENGTH_MAX = 4096
_REMEMBERED_MAX = 20_000
# The clock is injected, so that the library's own checks of time are replaced by ours.
_OPTIONS: Any = {
    "require": ["iss", "aud", "exp", "nbf"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class TokenSigner:
    """Makes tokens. Only the gateway has the private key."""

    def __init__(self, private_pem: str, clock: Clock, issuer: str = ISSUER) -> None:
        key = load_pem_private_key(private_pem.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("the key that signs internal tokens must be an Ed25519 key")
        self._key = key
        self._headers = {"typ": _TYPE, "kid": _key_id(key.public_key())}
        self._clock = clock
        self._issuer = issuer

    def sign(self, principal: Principal, ttl_s: float, audience: str = AUDIENCE) -> str:
        """A token that speaks for `principal` during `ttl_s` seconds from now."""
        now = self._clock.now()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + timedelta(seconds=ttl_s),
            "tenant": principal.tenant,
            "scope": " ".join(sorted(principal.scopes)),
            "sub": principal.subject,
        }
        if principal.customer is not None:
            claims["customer"] = principal.customer
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers=self._headers)


class TokenVerifier:
    """Reads tokens. `public_pem` may hold several keys one after another, so that they can be rotated."""

    def __init__(
        self,
        public_pem: str,
        clock: Clock,
        *,
        issuer: str = ISSUER,
        audience: str | Sequence[str] = AUDIENCE,
        leeway_s: float = 5.0,
    ) -> None:
        self._keys = _public_keys(public_pem)
        self._clock = clock
        self._issuer = issuer
        self._audience = audience
        self._leeway_s = leeway_s
        self._remembered: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def verify(self, token: str) -> Principal:
        """Whom the token speaks for. Raises UnauthenticatedError, whatever is wrong with it."""
        now = self._clock.now().timestamp()
        known = self._remembered.get(token)
        if known is not None and now < known[0]:
            return known[1]
        return self._verify_new(token, now)

    def _verify_new(self, token: str, now: float) -> Principal:
        self._remembered.pop(token, None)
        if len(token) > _LENGTH_MAX:
            raise UnauthenticatedError("The credential is not valid.")
        try:
            expires, principal = self._read(token, now)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError, TypeError, KeyError) as error:
            raise UnauthenticatedError("The credential is not valid.") from error
        self._remembered[token] = (expires, principal)
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return principal

    def _read(self, token: str, now: float) -> tuple[float, Principal]:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != _TYPE:
            raise ValueError("not one of our tokens")
        claims = jwt.decode(
            token,
            self._keys[header["kid"]],
            algorithms=[_ALGORITHM],
            audience=self._audience,
            issuer=self._issuer,
            options=_OPTIONS,
        )
        found = msgspec.convert(claims, _Claims)
        expires = found.exp + self._leeway_s
        if not found.nbf - self._leeway_s <= now < expires:
            raise ValueError("outside its time")
        return expires, Principal(found.tenant, frozenset(found.scope.split()), found.customer, found.sub)


class _Claims(msgspec.Struct):
    """What must be in a token, and of which type."""

    exp: int
    nbf: int
    tenant: Annotated[str, msgspec.Meta(min_length=1)]
    customer: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    scope: str = ""
    sub: str = ""


def _public_keys(public_pem: str) -> dict[str, Ed25519PublicKey]:
    keys = [load_pem_public_key(pem.encode()) for pem in _PEM.findall(public_pem)]
    found = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not found or len(found) != len(keys):
        raise ValueError("the public key of internal tokens must be one or more Ed25519 keys in PEM")
    return {_key_id(key): key for key in found}


def _key_id(key: Ed25519PublicKey) -> str:
    """A name for a key that both sides can compute."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]
