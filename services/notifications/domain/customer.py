"""A customer as far as messages need them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from services.notifications.domain.consent import ConsentKey, Consents, Words


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
    phone: str | None = None
    birthday: date | None = None
    occurred_at: datetime | None = None  # when it became so; of two profiles the later one counts


@dataclass(frozen=True, slots=True)
class Customer:
    """Who they are, what they allow, whether their address refused mail before, and who said what of their consents."""

    profile: Profile = field(default_factory=Profile)
    consents: Consents = field(default_factory=dict)
    suppressed: bool = False
    words: Mapping[ConsentKey, Words] = field(default_factory=dict)
