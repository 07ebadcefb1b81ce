"""GET /v1/customers/{customer_id}/export."""

import msgspec

from services.gateway.auth.credentials import Credentials
from services.gateway.forwarding.export import Exporter
from shared.auth.scopes import EXPORT_OWN
from shared.clock import Clock
from shared.http.hot import HotHandler, HotRequest, HotResponse
from shared.observability.context import TENANT


class ExportRoutes:
    """The handler, with what it needs."""

    def __init__(self, credentials: Credentials, exporter: Exporter, clock: Clock) -> None:
        self._credentials, self._exporter, self._clock = credentials, exporter, clock

    def routes(self) -> dict[tuple[str, str], HotHandler]:
        """By method and path."""
        return {("GET", "/v1/customers/{customer_id}/export"): self._export}

    async def _export(self, request: HotRequest) -> HotResponse:
        session = await self._credentials.session(request.headers.get(b"authorization"))
        TENANT.set(session.principal.tenant)
        session.bucket.take(1)
        if session.principal.customer is not None:
            session.principal.require(EXPORT_OWN)
        customer_id = session.principal.customer_for(request.params["customer_id"])
        found = await self._exporter.export(customer_id, session.bearer(), request.correlation_id, self._clock.now())
        return HotResponse(200, msgspec.json.encode(found))
