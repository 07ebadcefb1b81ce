"""The checks that the services bring along, each in its own words."""

from collections.abc import Iterable

from deploy.audit.check import Check
from services.metrics.adapters import audit as metrics
from services.notifications.adapters import audit as notifications
from services.points.adapters import audit as points
from shared.audit import Law


def _checks(service: str, laws: Iterable[Law]) -> tuple[Check, ...]:
    return tuple(Check(service, *law) for law in laws)


SERVICE_CHECKS = {
    "points": _checks("points", points.CHECKS),
    "notifications": _checks("notifications", notifications.invariants()),
    "metrics": _checks("metrics", metrics.CHECKS),
}
