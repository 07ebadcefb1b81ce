"""A customer as far as messages need them."""

from dataclasses import dataclass, field
from enum import StrEnum

from services.notifications.domain.consent import Consents


class ProfileState(StrEnum):
    """What we know of somebody."""

    MISSING = "missing"  # seen in an event, no profile yet
    KNOWN = "known"
    ERASED = "erased"  # asked to be forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who they are; all of it None unless `state` is KNOWN."""

    state: ProfileState = ProfileState.MISSING
    email: str | None = None
    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who they are, what they allow, and whether their address refused mail before."""

    profile: Profile = field(default_factory=Profile)
    consents: Consents = field(default_factory=dict)
    suppressed: bool = False
