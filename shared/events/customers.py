"""Who customers are. The only family that carries personal data; the topic is compacted and forgets."""

from datetime import date
from typing import ClassVar, Literal

import msgspec

from shared.events.contract import CustomerEvent, Topic

Channel = Literal["email", "sms", "push", "inapp"]
Purpose = Literal["service", "marketing"]


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer allows on one channel for one purpose."""

    channel: Channel
    purpose: Purpose
    granted: bool


class CustomerUpdated(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The whole profile as it now is; a field that is missing is unknown. Only `consents` may be None, which leaves
    what was said before; a list replaces all of it."""

    TYPE: ClassVar[str] = "customer.updated"
    TOPIC: ClassVar[Topic] = Topic.CUSTOMERS

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    birthday: date | None = None
    locale: str | None = None
    time_zone: str | None = None
    kind: Literal["consumer", "business"] = "consumer"
    consents: tuple[Consent, ...] | None = None


class CustomerErased(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The customer asked to be forgotten: personal data goes, pseudonymous figures stay."""

    TYPE: ClassVar[str] = "customer.erased"
    TOPIC: ClassVar[Topic] = Topic.CUSTOMERS
