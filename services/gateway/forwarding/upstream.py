"""The services as the gateway sees them: a pool of connections each, short patience, no trace of them in what goes
out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import httpx

from shared.errors import UnavailableError

Service = Literal["points", "notifications", "metrics"]
SERVICES: tuple[Service, ...] = ("points", "notifications", "metrics")
RawHeaders = Sequence[tuple[bytes, bytes]]

_CONNECT_S = 0.5
_POOL_S = 1.0
_KEPT_ALIVE_S = 20.0  # less than the servers' own, so that we hang up first
# The connection broke before or while it was used: nothing was answered.
_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a service. `target` is the path and the query as they came; `timeout_s` is for its answer."""

    method: str
    target: bytes
    headers: RawHeaders
    body: bytes = b""
    timeout_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service said."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Upstream:
    """One service."""

    def __init__(self, service: Service, base_url: str, connections_max: int) -> None:
        self.service = service
        self._base = httpx.URL(base_url)
        limits = httpx.Limits(
            max_connections=connections_max, max_keepalive_connections=connections_max, keepalive_expiry=_KEPT_ALIVE_S
        )
        self._client = httpx.AsyncClient(limits=limits, trust_env=False, follow_redirects=False)

    async def ask(self, question: Question) -> Reply:
        """The service's answer, whatever it is. Raises UnavailableError when there is none."""
        try:
            try:
                return await self._once(question)
            except _BROKEN:
                if question.method != "GET":
                    raise
                return await self._once(question)
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"The {self.service} service does not answer; repeating the same request is safe.",
                code="service_unavailable", retry_after_s=2.0, service=self.service,
            ) from error  # fmt: skip

    async def _once(self, question: Question) -> Reply:
        timeout = httpx.Timeout(question.timeout_s, connect=_CONNECT_S, pool=_POOL_S)
        answer = await self._client.request(
            question.method,
            self._base.copy_with(raw_path=question.target),
            headers=list(question.headers),
            content=question.body or None,
            timeout=timeout,
        )
        return Reply(answer.status_code, dict(answer.headers.raw), answer.content)

    async def aclose(self) -> None:
        """Hang up."""
        await self._client.aclose()


class Upstreams:
    """All of them."""

    def __init__(self, urls: Mapping[Service, str], connections_max: int) -> None:
        self._all = {service: Upstream(service, url, connections_max) for service, url in urls.items()}

    def __getitem__(self, service: Service) -> Upstream:
        return self._all[service]

    async def aclose(self) -> None:
        """Hang up everywhere."""
        for upstream in self._all.values():
            await upstream.aclose()
