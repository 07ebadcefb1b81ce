"""What comes in, as pydantic models: for the OpenAPI document, and to name every fault of a body at once."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.ingest import rules
from services.gateway.ingest.fields import (
    ActivityKind,
    Amount,
    Comment,
    Currency,
    CustomerId,
    Id,
    Instant,
    OrderId,
    OwnCustomerId,
    Properties,
    Quantity,
    SignedAmount,
    Text,
)
from services.gateway.ingest.profile_fields import Birthday, Email, Name, Phone
from shared.events.customers import Channel, Purpose
from shared.events.feedback import FeedbackKind
from shared.http.fields import Locale, TimeZone

BATCH_MAX = 500


class Given(BaseModel):
    """Base of all that comes in: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class GivenEvent(Given):
    """Base of events."""

    event_id: Id | None = Field(default=None, description="Your own name of the event; a retry repeats it.")


class PurchaseLine(Given):
    """One line of an order: quantity x unit_price - discount was paid for it, before a discount on the whole order.
    `tax` is what of it is tax. A void, a voucher or a returned deposit is a line with a negative price."""

    line_id: Id
    sku: Id
    quantity: Quantity
    unit_price: SignedAmount
    discount: Amount | None = None
    tax: SignedAmount | None = None
    category: Id | None = None
    brand: Id | None = None


class Cart(GivenEvent):
    """What is bought. `total` is for goods, after discounts, tax included, shipping excluded, and it decides: what the
    lines come to beyond it is a discount on the whole order, divided over them. Without `customer_id` it is a
    guest's."""

    customer_id: CustomerId | None = None
    currency: Currency
    total: Amount
    lines: Annotated[list[PurchaseLine], Field(max_length=rules.LINES_MAX)] | None = None
    channel: Id | None = None
    brand: Id | None = None
    coupon_codes: Annotated[list[Id], Field(max_length=rules.COUPONS_MAX)] | None = None
    referral_code: Id | None = None
    redemption_id: Id | None = None
    metadata: Properties | None = None


class Purchase(Cart):
    """An order that was paid. `total` is for goods, after discounts, tax included, shipping excluded, and it decides:
    what the lines come to beyond it is a discount on the whole order, divided over them. Without `customer_id` it is a
    guest's."""

    order_id: OrderId
    occurred_at: Instant


class Quote(Cart):
    """A purchase that may be to come: whatever a purchase takes, with the same rules; of this moment, unless it says
    `occurred_at`."""

    customer_id: OwnCustomerId | None = None
    order_id: OrderId | None = None
    occurred_at: Instant | None = None


class ReturnLine(Given):
    """Units of one line that came back, and the money given back for them."""

    line_id: Id
    quantity: Quantity
    amount: Amount


class Return(GivenEvent):
    """Goods that came back; `total` is the money given back by this return alone, and it decides. It may be less than
    its lines (a fee was kept), more, or, where it names lines, 0."""

    order_id: OrderId
    customer_id: CustomerId | None = None
    occurred_at: Instant
    currency: Currency
    total: Amount
    lines: Annotated[list[ReturnLine], Field(max_length=rules.LINES_MAX)] | None = None
    reason: Text | None = None


class Cancellation(GivenEvent):
    """A whole order that was undone."""

    order_id: OrderId
    customer_id: CustomerId | None = None
    occurred_at: Instant
    reason: Text | None = None


class Feedback(GivenEvent):
    """An answer to a survey, or a review. Scores: nps 0-10, csat 1-5, ces 1-7, review 1-5. A customer's own token may
    leave `customer_id` out."""

    customer_id: OwnCustomerId | None = None
    kind: FeedbackKind
    score: int
    comment: Comment | None = None
    order_id: OrderId | None = None
    occurred_at: Instant
    publish_consent: bool | None = None


class Activity(GivenEvent):
    """Something else that a customer did: a touch point, a contest entry, an app download."""

    customer_id: OwnCustomerId | None = None
    kind: ActivityKind
    properties: Properties | None = None
    occurred_at: Instant


class Consent(Given):
    """What a customer allows on one channel for one purpose."""

    channel: Channel
    purpose: Purpose
    granted: bool


class ConsentStatement(GivenEvent):
    """One consent that was given or withdrawn. By a key it is the shop's word, by a customer's token the person's own,
    which only the person takes back. The later word counts, and of two at one instant the withdrawal."""

    channel: Channel
    purpose: Purpose
    granted: bool
    occurred_at: Instant | None = Field(default=None, description="When it was said; now, if left out.")


class Profile(Given):
    """A customer's whole profile: what is left out is unknown from now on. Of two profiles the later one counts, by
    `occurred_at`. `consents` are the shop's word, each on its own: what the list does not name stays as it was."""

    email: Email | None = None
    name: Name | None = None
    phone: Phone | None = None
    birthday: Birthday | None = None
    locale: Locale | None = None
    time_zone: TimeZone | None = None
    kind: Literal["consumer", "business"] | None = None
    consents: Annotated[list[Consent], Field(max_length=rules.CONSENTS_MAX)] | None = None
    occurred_at: Instant | None = Field(default=None, description="When the profile became so; now, if left out.")
    rejoin: bool | None = Field(
        default=None,
        description="Somebody begins anew under an id that was erased: with an empty wallet and no history.",
    )


class Customer(Profile):
    """A profile in a batch."""

    customer_id: CustomerId
