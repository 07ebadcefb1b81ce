"""What became of an event: every service that listens is asked, and what they say is put together."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from time import monotonic
from typing import Any, Final
from uuid import UUID

import msgspec

from services.gateway.forwarding.event_state import (
    Away,
    Place,
    ServiceView,
    View,
    Views,
    judged_body,
    merged,
    undecided,
)
from services.gateway.forwarding.headers import own
from services.gateway.forwarding.upstream import SERVICES, Question, Service, Upstreams
from shared.errors import UnavailableError

# Twelve looks in ten seconds, the first ones soon: most events are decided within a tenth of a second.
_PAUSE_FIRST_S, _PAUSE_MAX_S, _PAUSE_GROWTH = 0.03, 2.0, 1.8
BODIES_MAX: Final = 20
"""How many conflicting bodies are described; the others are only listed."""

# What the bodies at these places say, by place; a place is missing where the log does not tell.
ReadBodies = Callable[[Collection[Place]], Awaitable[Mapping[Place, dict[str, Any]]]]


class EventFinder:
    """Asks all services at once, and again those that have not decided."""

    def __init__(self, upstreams: Upstreams, read_bodies: ReadBodies, timeout_s: float) -> None:
        self._upstreams, self._read_bodies, self._timeout_s = upstreams, read_bodies, timeout_s

    async def find(self, event_id: UUID, bearer: str, correlation_id: str, wait_s: float) -> dict[str, Any]:
        """The event's state; waits up to `wait_s` until it is decided everywhere.

        Raises NotFoundError when no service has seen it, UnavailableError when the one that decides is away.
        """
        until = monotonic() + wait_s
        pause_s = _PAUSE_FIRST_S
        headers = own(bearer, correlation_id)
        views: dict[Service, View] = dict.fromkeys(SERVICES)
        open_ones: Collection[Service] = SERVICES
        while True:
            views |= await self._ask_all(open_ones, event_id, headers)
            open_ones = undecided(views)
            left_s = until - monotonic()
            if left_s <= 0 or not open_ones:
                return await self._described(merged(event_id, views), views)
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * _PAUSE_GROWTH, _PAUSE_MAX_S)

    async def _described(self, answer: dict[str, Any], views: Views) -> dict[str, Any]:
        """The answer; where other bodies came under the same id, with what each of them said."""
        conflicts = answer["conflicts"]
        if not conflicts:
            return answer
        counts = judged_body(views)
        places = [place for place in (counts, *(one["place"] for one in conflicts[:BODIES_MAX])) if place is not None]
        bodies = await self._read_bodies(places)
        described = [
            {name: value for name, value in one.items() if name != "place"} | bodies.get(one["place"], {})
            for one in conflicts
        ]
        event = {"event": bodies[counts]} if counts is not None and counts in bodies else {}
        return answer | event | {"conflicts": described}

    async def _ask_all(
        self, services: Collection[Service], event_id: UUID, headers: list[tuple[bytes, bytes]]
    ) -> Mapping[Service, View]:
        question = Question("GET", f"/internal/events/{event_id}".encode(), headers, timeout_s=self._timeout_s)
        found = await asyncio.gather(*(self._ask(service, question) for service in services))
        return dict(zip(services, found, strict=True))

    async def _ask(self, service: Service, question: Question) -> View:
        try:
            reply = await self._upstreams[service].ask(question)
        except UnavailableError:
            return Away()
        if reply.status == 404:
            return None
        if reply.status != 200:
            return Away()
        return msgspec.json.decode(reply.body, type=ServiceView)
