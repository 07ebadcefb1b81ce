"""What the others hear of a message: never its text, never an address."""

from datetime import datetime

from services.notifications.domain.message import Message, Status
from shared.events.envelope import Record, Stamp
from shared.events.notifications import NotificationBounced, NotificationSent, NotificationSkipped
from shared.ids import derived_id

_Event = NotificationSent | NotificationSkipped | NotificationBounced


def announcement(message: Message, status: Status, reason: str | None, occurred_at: datetime, now: datetime) -> Record:
    """The record that tells of `message` having become `status` at `occurred_at`: sent, skipped or bounced. Its id is
    the same in every repetition."""
    event = _event(message, status, reason, occurred_at)
    correlation_id = message.correlation_id or str(message.cause_id)
    stamp = Stamp(message.tenant, "treue/notification", 0, now, correlation_id, message.traceparent)
    return stamp.record(event, str(derived_id(message.id, event.TYPE)))


def _event(message: Message, status: Status, reason: str | None, occurred_at: datetime) -> _Event:
    if status is Status.SENT:
        return NotificationSent(
            occurred_at=occurred_at, customer_id=message.customer_id, message_id=message.id,
            cause_id=message.cause_id, template=message.template, channel=message.channel,
        )  # fmt: skip
    negative = NotificationSkipped if status is Status.SKIPPED else NotificationBounced
    return negative(
        occurred_at=occurred_at, customer_id=message.customer_id, message_id=message.id,
        cause_id=message.cause_id, template=message.template, channel=message.channel, reason=reason or "",
    )  # fmt: skip


def is_announced(status: Status) -> bool:
    """Whether the others hear of it: of every end but a failure, which is the operator's to look at."""
    return status in (Status.SENT, Status.SKIPPED, Status.BOUNCED)
