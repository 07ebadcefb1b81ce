"""The services as the gateway sees them: a pool of connections each, short patience, no trace of them in what goes
out."""

import asyncio
from collections.abc import Mapping
from typing import Literal

from services.gateway.forwarding.connection import Address, BrokenError, Connection, Question, RawHeaders, Reply
from shared.errors import UnavailableError

__all__ = ["SERVICES", "Question", "RawHeaders", "Reply", "Service", "Upstream", "Upstreams"]

Service = Literal["points", "notifications", "metrics"]
SERVICES: tuple[Service, ...] = ("points", "notifications", "metrics")

_CONNECT_S = 0.5
_POOL_S = 1.0
_KEPT_ALIVE_S = 20.0  # less than the servers' own, so that we hang up first


class Upstream:
    """One service."""

    def __init__(self, service: Service, base_url: str, connections_max: int, waits_max: int) -> None:
        self.service = service
        self._address = Address(base_url)
        self._free = asyncio.Semaphore(connections_max)
        self._free_to_wait = asyncio.Semaphore(waits_max)
        self._idle: list[Connection] = []

    async def ask(self, question: Question) -> Reply:
        """The service's answer, whatever it is. Raises UnavailableError when there is none in the question's time."""
        until = asyncio.get_running_loop().time() + question.timeout_s
        try:
            try:
                return await self._once(question, until)
            except BrokenError:
                # It broke before or while it was used: nothing was answered.
                if question.method != "GET":
                    raise
                return await self._once(question, until)
        except (OSError, TimeoutError) as error:
            raise UnavailableError(
                f"The {self.service} service does not answer; repeating the same request is safe.",
                code="service_unavailable", retry_after_s=2.0, service=self.service,
            ) from error  # fmt: skip

    async def _once(self, question: Question, until: float) -> Reply:
        left_s = until - asyncio.get_running_loop().time()
        free = self._free_to_wait if question.waits else self._free
        if free.locked():
            await asyncio.wait_for(free.acquire(), min(_POOL_S, left_s))
        else:
            await free.acquire()
        try:
            connection = self._kept()
            if connection is None:
                connection = await asyncio.wait_for(self._address.connect(), min(_CONNECT_S, left_s))
            reply = await connection.ask(question, until)
            if connection.open:
                connection.idle_since = asyncio.get_running_loop().time()
                self._idle.append(connection)
            return reply
        finally:
            free.release()

    def _kept(self) -> Connection | None:
        """The connection that was used last, if it may still be used."""
        oldest = asyncio.get_running_loop().time() - _KEPT_ALIVE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.open and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def aclose(self) -> None:
        """Hang up."""
        while self._idle:
            self._idle.pop().close()


class Upstreams:
    """All of them. `waits_max`: how many connections to each there may be besides, for questions that wait."""

    def __init__(self, urls: Mapping[Service, str], connections_max: int, waits_max: int) -> None:
        self._all = {service: Upstream(service, url, connections_max, waits_max) for service, url in urls.items()}

    def __getitem__(self, service: Service) -> Upstream:
        return self._all[service]

    async def aclose(self) -> None:
        """Hang up everywhere."""
        for upstream in self._all.values():
            await upstream.aclose()
