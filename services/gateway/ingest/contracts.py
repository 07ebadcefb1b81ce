"""What comes in, as msgspec Structs: the fast way to read it. Whoever changes one changes its twin in models.py; a
corpus test holds the two together.

What is left out and what is null mean the same; they are kept apart only so that writing a struct back gives as many
quotes as were read (see reading.py).
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from services.gateway.ingest import rules
from shared.events.customers import Channel, Purpose
from shared.events.feedback import FeedbackKind

Id = Annotated[str, Meta(min_length=1, max_length=rules.ID_MAX)]
MaybeId = Id | UnsetType | None
Text = Annotated[str, Meta(max_length=rules.TEXT_MAX)]
MaybeText = Text | UnsetType | None
Amount = Annotated[str, Meta(min_length=1, max_length=24)]
Instant = Annotated[datetime, Meta(tz=True)]
Quantity = Annotated[int, Meta(ge=1, le=rules.QUANTITY_MAX)] | Annotated[str, Meta(min_length=1, max_length=13)]
Integer = Annotated[int, Meta(ge=-rules.INTEGER_MAX, le=rules.INTEGER_MAX)]
Scalar = Text | Integer | bool | None
Properties = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=rules.PROPERTY_KEY_MAX)], Scalar],
    Meta(max_length=rules.PROPERTIES_MAX),
]
Coupons = Annotated[list[Id], Meta(max_length=rules.COUPONS_MAX)]


class Given(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of all that comes in. `event_id` is the caller's own name of the event, under which a retry is known."""

    event_id: MaybeId = UNSET


class PurchaseLine(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One line of an order."""

    line_id: Id
    sku: Id
    quantity: Quantity
    unit_price: Amount
    discount: Amount | UnsetType | None = UNSET
    tax: Amount | UnsetType | None = UNSET
    category: MaybeId = UNSET
    brand: MaybeId = UNSET


class Cart(Given, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is bought, whether it was paid already or not."""

    customer_id: MaybeId = UNSET
    currency: str
    total: Amount
    lines: Annotated[list[PurchaseLine], Meta(max_length=rules.LINES_MAX)] | UnsetType | None = UNSET
    channel: MaybeId = UNSET
    brand: MaybeId = UNSET
    coupon_codes: Coupons | UnsetType | None = UNSET
    referral_code: MaybeId = UNSET
    redemption_id: MaybeId = UNSET
    metadata: Properties | UnsetType | None = UNSET


class Purchase(Cart, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """An order that was paid."""

    order_id: Id
    occurred_at: Instant


class Quote(Cart, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A purchase that may be to come: it need not have an order id or an instant yet."""

    order_id: MaybeId = UNSET
    occurred_at: Instant | UnsetType | None = UNSET


class ReturnLine(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Units of one line that came back."""

    line_id: Id
    quantity: Quantity
    amount: Amount


class Return(Given, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Goods that came back."""

    order_id: Id
    customer_id: MaybeId = UNSET
    occurred_at: Instant
    currency: str
    total: Amount
    lines: Annotated[list[ReturnLine], Meta(max_length=rules.LINES_MAX)] | UnsetType | None = UNSET
    reason: MaybeText = UNSET


class Cancellation(Given, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A whole order that was undone."""

    order_id: Id
    customer_id: MaybeId = UNSET
    occurred_at: Instant
    reason: MaybeText = UNSET


class Feedback(Given, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """An answer to a survey, or a review."""

    customer_id: MaybeId = UNSET
    kind: FeedbackKind
    score: int
    comment: Annotated[str, Meta(max_length=rules.COMMENT_MAX)] | UnsetType | None = UNSET
    order_id: MaybeId = UNSET
    occurred_at: Instant
    publish_consent: bool | UnsetType | None = UNSET


class Activity(Given, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Something else that a customer did."""

    customer_id: MaybeId = UNSET
    kind: Id
    properties: Properties | UnsetType | None = UNSET
    occurred_at: Instant


class Consent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a customer allows on one channel for one purpose."""

    channel: Channel
    purpose: Purpose
    granted: bool


class ConsentStatement(Given, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One consent that was given or withdrawn. `occurred_at` is when; now, if it is left out."""

    channel: Channel
    purpose: Purpose
    granted: bool
    occurred_at: Instant | UnsetType | None = UNSET


class Profile(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A customer's whole profile. `occurred_at` is when it became so; now, if it is left out."""

    email: Annotated[str, Meta(min_length=1, max_length=320)] | UnsetType | None = UNSET
    name: Annotated[str, Meta(min_length=1, max_length=rules.NAME_MAX)] | UnsetType | None = UNSET
    phone: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType | None = UNSET
    birthday: Annotated[str, Meta(min_length=10, max_length=10)] | UnsetType | None = UNSET
    locale: Annotated[str, Meta(min_length=1, max_length=35)] | UnsetType | None = UNSET
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType | None = UNSET
    kind: Literal["consumer", "business"] | UnsetType | None = UNSET
    consents: Annotated[list[Consent], Meta(max_length=rules.CONSENTS_MAX)] | UnsetType | None = UNSET
    occurred_at: Instant | UnsetType | None = UNSET
    rejoin: bool | UnsetType | None = UNSET


class Customer(Profile, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A profile in a batch, where no path names the customer."""

    customer_id: Id
