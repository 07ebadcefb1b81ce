"""A credential in use: who it speaks for, and what is kept for it between requests."""

from time import monotonic
from typing import Final

from services.gateway.token_bucket import TokenBucket
from shared.auth.principal import Principal
from shared.auth.tokens import TokenSigner

TOKEN_TTL_S: Final = 300.0
_TOKEN_USED_S: Final = 240.0  # a token is given away only while a minute of it is left


class Session:
    """What a good credential is exchanged for."""

    __slots__ = ("_bearer", "_bearer_until", "_signer", "bucket", "principal")

    def __init__(self, principal: Principal, bucket: TokenBucket, signer: TokenSigner) -> None:
        self.principal = principal
        self.bucket = bucket
        self._signer = signer
        self._bearer, self._bearer_until = "", 0.0

    def bearer(self) -> str:
        """The internal token that services believe, kept for a while."""
        if monotonic() >= self._bearer_until:
            self._bearer = self._signer.sign(self.principal, TOKEN_TTL_S)
            self._bearer_until = monotonic() + _TOKEN_USED_S
        return self._bearer
