"""What became of messages to customers."""

from typing import ClassVar
from uuid import UUID

from shared.events.contract import CustomerEvent, Topic


class MessageEvent(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """What all events of a message tell; never its text and never an address."""

    TOPIC: ClassVar[Topic] = Topic.NOTIFICATIONS

    message_id: UUID
    cause_id: UUID
    template: str
    channel: str


class NotificationSent(MessageEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The next hop took the message."""

    TYPE: ClassVar[str] = "notification.sent"


class NotificationSkipped(MessageEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The message was deliberately not sent."""

    TYPE: ClassVar[str] = "notification.skipped"

    reason: str


class NotificationBounced(MessageEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The address refused the message for good."""

    TYPE: ClassVar[str] = "notification.bounced"

    reason: str
