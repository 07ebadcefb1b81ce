"""What became of an event: every service is asked, and the one that decides on this kind of event gives the status."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

import msgspec

from services.gateway.forwarding.headers import own
from services.gateway.forwarding.owners import DECIDING, LISTENING
from services.gateway.forwarding.upstream import SERVICES, Question, Service, Upstreams
from shared.errors import NotFoundError, UnavailableError

_PAUSE_FIRST_S, _PAUSE_MAX_S, _PAUSE_GROWTH = 0.03, 0.3, 1.5
_RETRY_AFTER_S = 1.0


class ServiceView(msgspec.Struct):
    """What one service says of an event (GET /internal/events/{event_id})."""

    event_id: str
    outcome: str
    topic: str
    reason: str | None = None
    effects: list[dict[str, Any]] = msgspec.field(default_factory=list)
    conflicts: list[dict[str, Any]] = msgspec.field(default_factory=list)
    applied_at: str | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """The service did not answer."""


View = ServiceView | Away | None
Views = Mapping[Service, View]


class EventFinder:
    """Asks all services at once."""

    def __init__(self, upstreams: Upstreams, timeout_s: float) -> None:
        self._upstreams, self._timeout_s = upstreams, timeout_s

    async def find(self, event_id: UUID, bearer: str, correlation_id: str, wait_s: float) -> dict[str, Any]:
        """The event's state; waits up to `wait_s` until it is decided.

        Raises NotFoundError when no service has seen it, UnavailableError when the one that decides is away.
        """
        until = monotonic() + wait_s
        pause_s = _PAUSE_FIRST_S
        while True:
            views = await self._ask_all(event_id, own(bearer, correlation_id))
            left_s = until - monotonic()
            if left_s <= 0 or is_decided(views):
                return merged(event_id, views)
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * _PAUSE_GROWTH, _PAUSE_MAX_S)

    async def _ask_all(self, event_id: UUID, headers: list[tuple[bytes, bytes]]) -> Views:
        question = Question("GET", f"/internal/events/{event_id}".encode(), headers, timeout_s=self._timeout_s)
        found = await asyncio.gather(*(self._ask(service, question) for service in SERVICES))
        return dict(zip(SERVICES, found, strict=True))

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


def is_decided(views: Views) -> bool:
    """Whether waiting longer brings nothing new."""
    deciding = _deciding(views)
    return deciding is not None and isinstance(views[deciding], ServiceView)


def merged(event_id: UUID, views: Views) -> dict[str, Any]:
    """One answer of all who listen to this kind of event. What a service did counts where it applied the event, and
    nowhere once the one that decides has rejected it."""
    views = _listening(views)
    seen = {service: view for service, view in views.items() if isinstance(view, ServiceView)}
    away = [service for service, view in views.items() if isinstance(view, Away)]
    deciding = _deciding(views)
    if (not seen and away) or deciding in away:
        raise UnavailableError(
            "The service that knows this event does not answer.",
            code="service_unavailable", retry_after_s=_RETRY_AFTER_S, service=deciding or away[0],
        )  # fmt: skip
    if not seen:
        raise NotFoundError("No service has seen this event yet.", code="event_not_found", retry_after_s=_RETRY_AFTER_S)
    decision = seen.get(deciding) if deciding else None
    answer: dict[str, Any] = {"event_id": str(event_id), "status": decision.outcome if decision else "accepted"}
    if decision is not None and decision.reason:
        answer["reason"] = decision.reason
    applied = {} if answer["status"] == "rejected" else seen
    return answer | {
        "effects": [
            {"service": service} | effect
            for service, view in applied.items()
            if view.outcome == "applied"
            for effect in view.effects
        ],
        "conflicts": _conflicts(seen.values()),
        "services": {service: _state(view) for service, view in views.items()},
    }


def _listening(views: Views) -> Views:
    """The views of those who listen to the event's topic; all of them while nobody knows it."""
    topics = {view.topic for view in views.values() if isinstance(view, ServiceView)}
    listening = {service for topic in topics for service in LISTENING.get(topic, views)}
    return {service: view for service, view in views.items() if not topics or service in listening}


def _deciding(views: Views) -> Service | None:
    """Who decides on this event, as far as anybody who has seen it can tell; for other kinds, who has seen it."""
    for service, view in views.items():
        if isinstance(view, ServiceView):
            return DECIDING.get(view.topic, service)
    return None


def _state(view: View) -> dict[str, Any]:
    match view:
        case None:
            return {"status": "unknown"}
        case Away():
            return {"status": "unavailable"}
        case ServiceView():
            state = {"status": view.outcome, "reason": view.reason, "applied_at": view.applied_at}
            return {name: value for name, value in state.items() if value is not None}


def _conflicts(views: Any) -> list[dict[str, Any]]:
    """Each body that came later and differed, once, though every service has noted it."""
    found = {conflict.get("received_at"): conflict for view in views for conflict in view.conflicts}
    return [found[key] for key in sorted(found, key=str)]
