"""Whether points have an event: asked on our own account, of a few events a second."""

from typing import Final

from services.gateway.forwarding.headers import own
from services.gateway.forwarding.upstream import Question, Upstreams
from shared.auth.principal import Principal
from shared.auth.scopes import EVENTS_WRITE
from shared.auth.tokens import TokenSigner
from shared.errors import UnavailableError

_TIMEOUT_S: Final = 0.5
_TOKEN_TTL_S: Final = 60.0


class Arrivals:
    """Asks points."""

    def __init__(self, upstreams: Upstreams, signer: TokenSigner) -> None:
        self._upstreams, self._signer = upstreams, signer

    async def __call__(self, tenant: str, event_id: str) -> bool | None:
        """None when points cannot tell."""
        principal = Principal(tenant, frozenset({EVENTS_WRITE}), subject="gateway:sharing")
        headers = own(self._signer.sign(principal, _TOKEN_TTL_S), "")
        question = Question("GET", f"/internal/events/{event_id}".encode(), headers, timeout_s=_TIMEOUT_S)
        try:
            reply = await self._upstreams["points"].ask(question)
        except UnavailableError:
            return None
        return {200: True, 404: False}.get(reply.status)
