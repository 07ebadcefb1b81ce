"""What customers do besides buying: touch points, tickets, contest entries, visits, subscription dates."""

from typing import ClassVar

import msgspec

from shared.events.contract import CustomerEvent, Topic


class ActivityRecorded(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """A customer did something; `kind` is the shop's own word for it, such as `app_downloaded`."""

    TYPE: ClassVar[str] = "activity.recorded"
    TOPIC: ClassVar[Topic] = Topic.ACTIVITIES

    kind: str
    properties: dict[str, str | int | bool | None] = msgspec.field(default_factory=dict)
