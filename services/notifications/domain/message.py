"""A message to a customer, and the life that it may lead.

waiting --> queued --> sending --> sent
   |         |  ^         |
   |         |  +---------+---> failed, bounced
   +---------+------------+---> skipped
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.errors import ConflictError
from shared.ids import derived_id

# What a message tells of, as JSON holds it: numbers, times as ISO 8601 text, ids. Never a name, an address, a comment.
Facts = Mapping[str, str | int | None]


class Channel(StrEnum):
    """How a message goes out."""

    INAPP = "inapp"
    EMAIL = "email"


class Purpose(StrEnum):
    """What for: service tells of the customer's own points and orders, marketing is everything that promotes."""

    SERVICE = "service"
    MARKETING = "marketing"


class Status(StrEnum):
    """Where in its life a message is."""

    WAITING = "waiting"  # for the customer's profile
    QUEUED = "queued"  # for its (next) attempt
    SENDING = "sending"  # in the hands of one sender, whose lease runs
    SENT = "sent"  # the next hop took it
    FAILED = "failed"  # the next hop would not take it, and it was not the address
    SKIPPED = "skipped"  # deliberately not sent
    BOUNCED = "bounced"  # the address refused it for good


class Reason(StrEnum):
    """Why a message was deliberately not sent."""

    ERASED = "erased"
    HISTORY = "history"
    NO_PROFILE = "no_profile"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    NO_MARKETING_CONSENT = "no_marketing_consent"
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    ALREADY_TODAY = "already_today"


TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    Status.WAITING: frozenset({Status.QUEUED, Status.SKIPPED}),
    Status.QUEUED: frozenset({Status.SENDING, Status.SKIPPED, Status.FAILED}),
    # Skipped: its sender died, and meanwhile it may not be sent any more.
    Status.SENDING: frozenset({Status.QUEUED, Status.SENT, Status.FAILED, Status.BOUNCED, Status.SKIPPED}),
    Status.SENT: frozenset(),
    Status.FAILED: frozenset(),
    Status.SKIPPED: frozenset(),
    Status.BOUNCED: frozenset(),
}


class IllegalTransitionError(ConflictError):
    """A message cannot become this from what it is."""

    code = "illegal_transition"

    def __init__(self, now: Status, then: Status) -> None:
        super().__init__(f"A message that is {now} cannot become {then}.")


def advance(now: Status, then: Status) -> Status:
    """`then`, where it may follow. Raises IllegalTransitionError."""
    if then not in TRANSITIONS[now]:
        raise IllegalTransitionError(now, then)
    return then


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message on one channel.

    `cause_id` is the event that we answer to, `origin_id` the shop's own event behind it (the purchase behind the
    points). `due_at` is when somebody must look at it again: at the latest, for a profile (waiting); the next attempt
    (queued).
    """

    id: UUID
    tenant: str
    customer_id: str
    cause_id: UUID
    origin_id: UUID
    template: str
    channel: Channel
    purpose: Purpose
    facts: Facts
    status: Status
    reason: str | None = None
    due_at: datetime | None = None
    correlation_id: str = ""
    traceparent: str = ""


def message_id(cause_id: UUID, template: str, channel: Channel) -> UUID:
    """The same cause, template and channel always give the same message."""
    return derived_id(cause_id, f"{template}/{channel}")
