"""Who customers are, and what they allow. The only family that carries addresses and names."""

from datetime import date
from typing import Annotated, ClassVar, Literal

import msgspec

from shared.events.contract import CustomerEvent, Topic

Channel = Literal["email", "sms", "push", "inapp"]
Purpose = Literal["service", "marketing"]
StatedBy = Literal["shop", "customer"]


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer allows on one channel for one purpose."""

    channel: Channel
    purpose: Purpose
    granted: bool


class CustomerUpdated(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The whole profile as it was at `occurred_at`; a field that is missing is unknown. Of two, the later one by
    `occurred_at` counts. `consents` are the shop's word, each on its own: what the list does not name stays as it was.
    An id that was erased takes no profile, unless `rejoin` says that somebody begins anew under it."""

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
    rejoin: bool = False


class ConsentStated(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """One consent was given or withdrawn. The shop's word never takes back what the customer withdrew in person."""

    TYPE: ClassVar[str] = "consent.stated"
    TOPIC: ClassVar[Topic] = Topic.CUSTOMERS

    channel: Channel
    purpose: Purpose
    granted: bool
    stated_by: Annotated[StatedBy, msgspec.Meta(description="customer: in person, with a token of their own.")]


class CustomerErased(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The customer asked to be forgotten: personal data goes, figures stay under a pseudonym, and the id takes
    no profile until it rejoins."""

    TYPE: ClassVar[str] = "customer.erased"
    TOPIC: ClassVar[Topic] = Topic.CUSTOMERS
