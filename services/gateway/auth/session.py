"""A credential in use: who it speaks for, and what is kept for it between requests."""

from time import monotonic
from typing import Final

from shared.auth.principal import Principal
from shared.auth.tokens import TokenSigner
from shared.errors import RateLimitedError

TOKEN_TTL_S: Final = 300.0
_TOKEN_USED_S: Final = 240.0  # a token is given away only while a minute of it is left


class TokenBucket:
    """Allows `rate_per_s` in the long run and `burst` at once."""

    __slots__ = ("_burst", "_filled_at", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s, self._burst = rate_per_s, burst
        self._tokens = burst
        self._filled_at = monotonic()

    def take(self, count: int) -> None:
        """Raises RateLimitedError, saying when to come back, if there is not enough."""
        now = monotonic()
        tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate_per_s)
        self._filled_at = now
        if tokens < count:
            self._tokens = tokens
            raise RateLimitedError(
                f"More than {self._rate_per_s:g} events a second from this credential.",
                retry_after_s=(count - tokens) / self._rate_per_s,
            )
        self._tokens = tokens - count


class Session:
    """What a good credential is exchanged for. `bearer` is the token to forward for a customer, who holds one."""

    __slots__ = ("_bearer", "_bearer_until", "_signer", "bucket", "principal")

    def __init__(self, principal: Principal, bucket: TokenBucket, signer: TokenSigner, bearer: str | None) -> None:
        self.principal = principal
        self.bucket = bucket
        self._signer = signer
        self._bearer = bearer or ""
        self._bearer_until = float("inf") if bearer else 0.0

    def bearer(self) -> str:
        """The internal token that services believe; a customer's own, or one made of the key and kept for a while."""
        if monotonic() >= self._bearer_until:
            self._bearer = self._signer.sign(self.principal, TOKEN_TTL_S)
            self._bearer_until = monotonic() + _TOKEN_USED_S
        return self._bearer
