"""Everything that the services hold about one customer, for the customer's own eyes."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from services.gateway.forwarding.headers import own
from services.gateway.forwarding.upstream import Question, Service, Upstreams
from shared.errors import NotFoundError, UnavailableError

# What each service shows of a customer, below /v1/customers/{customer_id}/, and whether it is a list in pages.
_PARTS: tuple[tuple[Service, str, bool], ...] = (
    ("points", "balance", False),
    ("points", "transactions", True),
    ("notifications", "profile", False),
    ("notifications", "consents", True),
    ("notifications", "messages", True),
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
        path = f"/v1/customers/{quote(customer_id, safe='')}/"
        found = await asyncio.gather(
            *(self._part(service, path + name, headers, paged) for service, name, paged in _PARTS)
        )
        answer: dict[str, Any] = {"customer_id": customer_id, "exported_at": now.isoformat()}
        for (service, name, _), part in zip(_PARTS, found, strict=True):
            if part is not None:
                answer.setdefault(service, {})[name] = part
        if not any(service in answer for service, _, _ in _PARTS):
            raise NotFoundError("There is no such customer.", code="customer_not_found")
        return answer

    async def _part(self, service: Service, path: str, headers: list[tuple[bytes, bytes]], paged: bool) -> Any:
        """One part; None where the service has nothing of this kind."""
        if not paged:
            return await self._get(service, path, headers)
        items: list[Any] = []
        cursor = ""
        for _ in range(_PAGES_MAX):
            page = await self._get(service, f"{path}?limit={_PAGE}{cursor}", headers)
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
