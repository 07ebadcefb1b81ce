"""The checks that the services bring along, each in its own words."""

from collections.abc import Iterable
from typing import Protocol

from deploy.audit.check import Check
from services.metrics.adapters import audit as metrics
from services.notifications.adapters import audit as notifications
from services.points.adapters import audit as points


class _Law(Protocol):
    """What each service calls a law of its tables."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def differing(self) -> str: ...
    @property
    def counted(self) -> str: ...


def _checks(service: str, laws: Iterable[_Law]) -> tuple[Check, ...]:
    return tuple(Check(service, law.name, law.description, law.differing, law.counted) for law in laws)


SERVICE_CHECKS = {
    "points": _checks("points", points.CHECKS),
    "notifications": _checks("notifications", notifications.invariants()),
    "metrics": _checks("metrics", metrics.CHECKS),
}
