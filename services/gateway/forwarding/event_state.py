"""What the services' words on an event come to. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import msgspec

from services.gateway.forwarding.owners import DECIDING, LISTENING
from services.gateway.forwarding.upstream import Service
from shared.errors import NotFoundError, UnavailableError

RETRY_AFTER_S = 1.0
Status = Literal["accepted", "partly_applied", "applied", "rejected"]
_DECIDED = frozenset({"applied", "rejected"})


class Place(msgspec.Struct, frozen=True):
    """Where in Kafka a body stands."""

    topic: str
    part: int
    offset: int


class ConflictView(msgspec.Struct):
    """Another body under the same id, which this service did not apply."""

    received_at: str
    place: Place | None = None


class ServiceView(msgspec.Struct):
    """What one service says of an event (GET /internal/events/{event_id}). `place` is that of the body it judged."""

    event_id: str
    outcome: str
    topic: str
    reason: str | None = None
    effects: list[dict[str, Any]] = msgspec.field(default_factory=list)
    conflicts: list[ConflictView] = msgspec.field(default_factory=list)
    applied_at: str | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """The service did not answer."""


View = ServiceView | Away | None
Views = Mapping[Service, View]


def undecided(views: Views) -> set[Service]:
    """Who may still change what `merged` says; nobody once the deciding service has rejected the event."""
    deciding = _deciding(views)
    decision = views[deciding] if deciding is not None else None
    if isinstance(decision, ServiceView) and decision.outcome == "rejected":
        return set()
    return {service for service, view in _listening(views).items() if not _has_decided(view)}


def merged(event_id: UUID, views: Views) -> dict[str, Any]:
    """One answer of all who listen to this kind of event. What a service did counts where it applied the event, and
    nowhere once the one that decides has rejected it.

    Raises NotFoundError when no service has seen it, UnavailableError when the one that decides is away.
    """
    views = _listening(views)
    seen = {service: view for service, view in views.items() if isinstance(view, ServiceView)}
    deciding = _deciding(views)
    _check_answered(views, seen, deciding)
    decision = seen.get(deciding) if deciding else None
    status = _status(views, decision)
    answer: dict[str, Any] = {"event_id": str(event_id), "status": status}
    if decision is not None and decision.reason:
        answer["reason"] = decision.reason
    return answer | {
        "effects": [
            {"service": service} | effect
            for service, view in seen.items()
            if view.outcome == "applied" and status != "rejected"
            for effect in view.effects
        ],
        "conflicts": _conflicts(seen, decision),
        "services": {service: _state(view) for service, view in views.items()},
    }


def judged_body(views: Views) -> Place | None:
    """Where the body stands that counts: the deciding service's, else that of whoever has seen one."""
    deciding = _deciding(views)
    view = views[deciding] if deciding is not None else None
    seen = [view] if isinstance(view, ServiceView) else [v for v in views.values() if isinstance(v, ServiceView)]
    return seen[0].place if seen else None


def _check_answered(views: Views, seen: Mapping[Service, ServiceView], deciding: Service | None) -> None:
    away = [service for service, view in views.items() if isinstance(view, Away)]
    if (not seen and away) or deciding in away:
        raise UnavailableError(
            "The service that knows this event does not answer.",
            code="service_unavailable", retry_after_s=RETRY_AFTER_S, service=deciding or away[0],
        )  # fmt: skip
    if not seen:
        raise NotFoundError("No service has seen this event yet.", code="event_not_found", retry_after_s=RETRY_AFTER_S)


def _status(views: Views, decision: ServiceView | None) -> Status:
    if decision is not None and decision.outcome == "rejected":
        return "rejected"
    if all(_has_decided(view) for view in views.values()):
        return "applied"
    applied = any(isinstance(view, ServiceView) and view.outcome == "applied" for view in views.values())
    return "partly_applied" if applied else "accepted"


def _has_decided(view: View) -> bool:
    return isinstance(view, ServiceView) and view.outcome in _DECIDED


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


def _conflicts(seen: Mapping[Service, ServiceView], decision: ServiceView | None) -> list[dict[str, Any]]:
    """Each other body once, and who did not apply it. `disputed`: the deciding service applied the very body that
    another one refused; bodies in two partitions may be seen in either order."""
    found: dict[Any, dict[str, Any]] = {}
    for service, conflict in _each_conflict(seen):
        judged = decision is not None and conflict.place is not None and conflict.place == decision.place
        key = conflict.place or conflict.received_at
        one = found.setdefault(
            key,
            {
                "status": "disputed" if judged else "not_applied",
                "not_applied_by": [],
                "received_at": conflict.received_at,
                "place": conflict.place,
            },
        )
        one["not_applied_by"].append(service)
    return sorted(found.values(), key=lambda one: str(one["received_at"]))


def _each_conflict(seen: Mapping[Service, ServiceView]) -> Iterable[tuple[Service, ConflictView]]:
    return ((service, conflict) for service, view in seen.items() for conflict in view.conflicts)
