"""Who is calling: an API key, a customer's token, or the operator. Who was here before costs one look-up."""

import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from services.gateway.auth.api_key import KEY_PREFIXES, is_secret_of, parse
from services.gateway.auth.session import Session
from services.gateway.auth.throttle import Throttle
from services.gateway.remembered import Ages, Remembered
from services.gateway.token_bucket import TokenBucket
from shared.auth.principal import Principal
from shared.auth.scopes import ADMIN
from shared.auth.tokens import TokenSigner, TokenVerifier
from shared.clock import Clock
from shared.errors import UnauthenticatedError, UnavailableError
from shared.http.caller import credential_of

# Revoked keys stop within ten seconds (8 s for the answer that is looked up behind, and its way); known ones go on for
# a quarter of an hour while the database is away.
_AGES = Ages(fresh_s=5.0, soft_s=8.0, stale_s=900.0)
# A customer's token asks for its key, which is remembered as above, every second: both together are within the ten.
_TOKEN_AGES = Ages(fresh_s=1.0, soft_s=1.0, stale_s=900.0)
_KEY = "key:"
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
        throttle: Throttle,
    ) -> None:
        self._find_key, self._secrets, self._clock = find_key, secrets, clock
        self._signer, self._verifier = signer, verifier
        self._rates, self._throttle = rates, throttle
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._sessions: Remembered[bytes, Session] = Remembered(self._open, _AGES)
        # Apart, so that a great many customers make us forget no key.
        self._token_sessions: Remembered[bytes, Session] = Remembered(self._open_token, _TOKEN_AGES)
        self._minters: Remembered[str, StoredKey] = Remembered(self._live_key, _AGES)

    async def session(self, authorization: bytes | None) -> Session:
        """The caller's session. Raises UnauthenticatedError; RateLimitedError where too many wrong credentials come
        from; UnavailableError for a key that is not known here while the database is away."""
        if authorization is not None:
            known = self._sessions.at_once(authorization) or self._token_sessions.at_once(authorization)
            if known is not None:
                return known
        return await self._new_session(authorization)

    async def principal(self, credential: str) -> Principal:
        """The same for routes that only ask who calls."""
        return (await self.session(f"Bearer {credential}".encode())).principal

    def forget_key(self, key_id: str) -> None:
        """A key was revoked here: do not wait for its next look-up."""
        self._minters.forget(lambda known, _: known == key_id)
        for sessions in (self._sessions, self._token_sessions):
            sessions.forget(lambda _, session: session.principal.subject == _KEY + key_id)

    async def _new_session(self, authorization: bytes | None) -> Session:
        credential = credential_of(authorization)
        if hmac.compare_digest(credential.encode(), self._secrets.admin_key.encode()):
            return self._session(_OPERATOR)
        sessions = self._sessions if credential.startswith(KEY_PREFIXES) else self._token_sessions
        name = b"Bearer " + credential.encode()  # one for all ways of writing it
        if sessions.last(name) is not None:
            return await sessions.get(name)
        if not self._looks_right(credential):
            self._throttle.charge()
            raise _refused()
        return await self._first_session(sessions, name)

    async def _first_session(self, sessions: Remembered[bytes, Session], name: bytes) -> Session:
        """The session of whom this process has not seen: counted as wrong until the database has said it is good."""
        charged = self._throttle.charge() if sessions is self._sessions else None
        try:
            session = await sessions.get(name)
        except UnavailableError:
            if charged is not None:
                charged.give_back(1)
            raise
        if charged is not None:
            charged.give_back(1)
        return session

    def _looks_right(self, credential: str) -> bool:
        """What can be told of a credential without the database."""
        if credential.startswith(KEY_PREFIXES):
            return parse(credential) is not None
        try:
            # A token made for the services has no customer: what it stands for is a key.
            return self._verifier.verify(credential).customer is not None
        except UnauthenticatedError:
            return False

    async def _open(self, authorization: bytes) -> Session:
        """The session of a well-formed key."""
        key = parse(credential_of(authorization))
        if key is None:
            raise _refused()
        stored = await self._live_key(key.id)
        if not is_secret_of(key.secret, self._secrets.pepper, stored.secret_hash):
            raise _refused()
        return self._session(Principal(stored.tenant, stored.scopes, subject=_KEY + stored.id))

    async def _open_token(self, authorization: bytes) -> Session:
        """The session of a customer's token, which is good while the key is that made it. It is the one that it had
        before, with what was signed for it."""
        principal = self._verifier.verify(credential_of(authorization))
        if principal.customer is None or not principal.subject.startswith(_KEY):
            raise _refused()
        await self._minters.get(principal.subject.removeprefix(_KEY))
        return self._token_sessions.last(authorization) or self._session(principal)

    async def _live_key(self, key_id: str) -> StoredKey:
        stored = await self._find_key(key_id)
        if stored is None or stored.revoked_at is not None:
            raise _refused()
        if stored.expires_at is not None and stored.expires_at <= self._clock.now():
            raise _refused()
        return stored

    def _session(self, principal: Principal) -> Session:
        return Session(principal, self._bucket(principal), self._signer)

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
