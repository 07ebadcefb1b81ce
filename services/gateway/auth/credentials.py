"""Who is calling: an API key, a customer's token, or the operator. Who was here before costs one look-up."""

import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from services.gateway.auth.api_key import KEY_PREFIXES, is_secret_of, parse
from services.gateway.auth.session import Session
from services.gateway.remembered import Ages, Remembered
from services.gateway.token_bucket import TokenBucket
from shared.auth.principal import Principal
from shared.auth.scopes import ADMIN
from shared.auth.tokens import TokenSigner, TokenVerifier
from shared.clock import Clock
from shared.errors import UnauthenticatedError
from shared.http.caller import credential_of

# Revoked keys stop within ten seconds (8 s for the answer that is looked up behind, and its way); known ones go on for
# a quarter of an hour while the database is away.
_AGES = Ages(fresh_s=5.0, soft_s=8.0, stale_s=900.0)
_BUCKETS_MAX = 20_000
_OPERATOR = Principal(tenant="", scopes=frozenset({ADMIN}), subject="operator")


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as the database knows it."""

    id: str
    tenant: str
    secret_hash: bytes
    scopes: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None


# A key by its id; None where there is none. Raises UnavailableError when the database cannot be asked.
FindKey = Callable[[str], Awaitable[StoredKey | None]]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the gateway knows."""

    pepper: str
    admin_key: str


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests and events a second, and at once: of an API key, and of one customer, whatever tokens they hold."""

    key: tuple[float, float]
    customer: tuple[float, float]


class Credentials:
    """Exchanges what stands in the Authorization header for a Session."""

    def __init__(
        self,
        find_key: FindKey,
        secrets: Secrets,
        signer: TokenSigner,
        verifier: TokenVerifier,
        clock: Clock,
        rates: Rates,
    ) -> None:
        self._find_key, self._secrets, self._clock = find_key, secrets, clock
        self._signer, self._verifier = signer, verifier
        self._rates = rates
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._sessions: Remembered[bytes, Session] = Remembered(self._open, _AGES)

    async def session(self, authorization: bytes | None) -> Session:
        """The caller's session. Raises UnauthenticatedError; UnavailableError for a key that is not known here while
        the database is away."""
        known = self._sessions.at_once(authorization) if authorization is not None else None
        return known or await self._new_session(authorization)

    async def principal(self, credential: str) -> Principal:
        """The same for routes that only ask who calls."""
        return (await self.session(f"Bearer {credential}".encode())).principal

    def forget_key(self, key_id: str) -> None:
        """A key was revoked here: do not wait for its next look-up."""
        self._sessions.forget(lambda _, session: session is not None and session.principal.subject == f"key:{key_id}")

    async def _new_session(self, authorization: bytes | None) -> Session:
        credential = credential_of(authorization)
        found = authorization or b""
        if credential.startswith(KEY_PREFIXES):
            if parse(credential) is None:
                raise _refused()
            return await self._sessions.get(found)
        if hmac.compare_digest(credential.encode(), self._secrets.admin_key.encode()):
            return self._session(_OPERATOR)
        principal = self._verifier.verify(credential)
        if principal.customer is None:
            raise _refused()  # a token made for the services: what it stands for is a key
        session = self._session(principal, bearer=credential)
        self._sessions.put(found, session)
        return session

    async def _open(self, authorization: bytes) -> Session:
        """The session of a well-formed key."""
        key = parse(credential_of(authorization))
        stored = await self._find_key(key.id) if key is not None else None
        if key is None or stored is None or not is_secret_of(key.secret, self._secrets.pepper, stored.secret_hash):
            raise _refused()
        now = self._clock.now()
        if stored.revoked_at is not None or (stored.expires_at is not None and stored.expires_at <= now):
            raise _refused()
        return self._session(Principal(stored.tenant, stored.scopes, subject=f"key:{stored.id}"))

    def _session(self, principal: Principal, bearer: str | None = None) -> Session:
        return Session(principal, self._bucket(principal), self._signer, bearer)

    def _bucket(self, principal: Principal) -> TokenBucket:
        customer = principal.customer
        name = f"{principal.tenant}/key/{principal.subject}" if customer is None else f"{principal.tenant}/{customer}"
        rate_per_s, burst = self._rates.customer if customer is not None else self._rates.key
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(rate_per_s, burst)
            if len(self._buckets) > _BUCKETS_MAX:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        return bucket


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError("The credential is not valid.")
