"""The one gate: may this message go out? Asked when the message is written, and again before each attempt.

Rules are tried from top to bottom, the first that holds decides. A rule of nobody's kind sends.

| rule                                                    | in-app  | e-mail                     |
|---------------------------------------------------------|---------|----------------------------|
| the customer was erased                                 | skipped | skipped `erased`           |
| it is about something long past when we heard of it     | -       | skipped `history`          |
| the customer has no profile yet                         | -       | waiting, then `no_profile` |
| they withdrew their consent for this channel            | skipped | skipped `consent_withdrawn`|
| it is marketing and they never consented                | skipped | skipped `no_marketing_consent` |
| they have no address                                    | -       | skipped `no_address`       |
| their address refused mail for good                     | -       | skipped `suppressed`       |
| the like of it went out on the same local day           | skipped | skipped `already_today`    |
| none of these                                           | sent    | queued                     |
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.notifications.domain.consent import granted, withdrawn
from services.notifications.domain.customer import Customer, ProfileState
from services.notifications.domain.message import Channel, Purpose, Reason, Status

HISTORY_AFTER: Final = timedelta(days=7)
PROFILE_PATIENCE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a message, and why where it is not sent."""

    status: Status
    reason: Reason | None = None


def is_history(occurred_at: datetime, taken_in_at: datetime) -> bool:
    """Whether an event tells of something long past: an import must not mail anybody. Both times are the event's own,
    so that a replay decides the same."""
    return taken_in_at - occurred_at > HISTORY_AFTER


def decide(
    channel: Channel, purpose: Purpose, customer: Customer, *, history: bool = False, repeated: bool = False
) -> Decision:
    """The gate. `repeated`: one of its kind, of which one a day is enough, was not skipped that day."""
    reason = _objection(channel, purpose, customer, history=history)
    if reason is Reason.NO_PROFILE and not repeated:
        return Decision(Status.WAITING)
    if reason is not None:
        return Decision(Status.SKIPPED, reason)
    if repeated:
        return Decision(Status.SKIPPED, Reason.ALREADY_TODAY)
    return Decision(Status.SENT if channel is Channel.INAPP else Status.QUEUED)


def _objection(channel: Channel, purpose: Purpose, customer: Customer, *, history: bool) -> Reason | None:
    profile, outward = customer.profile, channel is not Channel.INAPP
    rules = (
        (profile.state is ProfileState.ERASED, Reason.ERASED),
        (outward and history, Reason.HISTORY),
        (outward and profile.state is ProfileState.MISSING, Reason.NO_PROFILE),
        (withdrawn(customer.consents, channel, purpose), Reason.CONSENT_WITHDRAWN),
        (_needs_consent(channel, purpose, customer), Reason.NO_MARKETING_CONSENT),
        (outward and not profile.email, Reason.NO_ADDRESS),
        (outward and customer.suppressed, Reason.SUPPRESSED),
    )
    return next((reason for holds, reason in rules if holds), None)


def _needs_consent(channel: Channel, purpose: Purpose, customer: Customer) -> bool:
    return purpose is Purpose.MARKETING and not granted(customer.consents, channel, purpose)
