"""Everything that the services hold about one customer, for the customer's own eyes."""

import asyncio
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from services.gateway.forwarding.headers import own
from services.gateway.forwarding.upstream import Question, Service, Upstreams
from shared.errors import NotFoundError, UnavailableError


class _Part(NamedTuple):
    """What a service shows of a customer, below `/{root}/customers/{customer_id}/`; `paged`: a list in pages."""

    service: Service
    name: str
    path: str
    paged: bool = True
    root: str = "v1"


_PARTS = (
    _Part("points", "balance", "balance", paged=False),
    _Part("points", "transactions", "transactions"),
    _Part("notifications", "profile", "profile", paged=False),
    _Part("notifications", "consents", "consents"),
    _Part("notifications", "messages", "messages"),
    _Part("metrics", "orders", "export?part=orders", root="internal"),
    _Part("metrics", "feedback", "export?part=feedback", root="internal"),
    _Part("metrics", "events", "export?part=events", root="internal"),
)
_PAGE = 500
_PAGES_MAX = 400
_TIMEOUT_S = 5.0


class Exporter:
    """Collects it."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams

    async def export(self, customer_id: str, bearer: str, correlation_id: str, now: datetime) -> dict[str, Any]:
        """All of it. Raises NotFoundError for a customer nobody knows, UnavailableError while a service is away: half
        an export would look like all there is."""
        headers = own(bearer, correlation_id)
        found = await asyncio.gather(*(self._part(part, customer_id, headers) for part in _PARTS))
        answer: dict[str, Any] = {"customer_id": customer_id, "exported_at": now.isoformat()}
        for part, held in zip(_PARTS, found, strict=True):
            if held is not None:
                answer.setdefault(part.service, {})[part.name] = held
        if not any(part.service in answer for part in _PARTS):
            raise NotFoundError("There is no such customer.", code="customer_not_found")
        return answer

    async def _part(self, part: _Part, customer_id: str, headers: list[tuple[bytes, bytes]]) -> Any:
        """One part; None where the service has nothing of this kind."""
        path = f"/{part.root}/customers/{quote(customer_id, safe='')}/{part.path}"
        if not part.paged:
            return await self._get(part.service, path, headers)
        more = "&" if "?" in path else "?"
        items: list[Any] = []
        cursor = ""
        for _ in range(_PAGES_MAX):
            page = await self._get(part.service, f"{path}{more}limit={_PAGE}{cursor}", headers)
            if page is None:
                return None
            items += page["items"]
            if not page.get("next"):
                return items
            cursor = f"&cursor={quote(page['next'], safe='')}"
        raise UnavailableError("This is more than can be exported at once.", code="export_too_large")

    async def _get(self, service: Service, target: str, headers: list[tuple[bytes, bytes]]) -> Any:
        question = Question("GET", target.encode(), headers, timeout_s=_TIMEOUT_S)
        reply = await self._upstreams[service].ask(question)
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise UnavailableError(
                f"The {service} service cannot answer now.", code="service_unavailable", service=service
            )
        return msgspec.json.decode(reply.body)
