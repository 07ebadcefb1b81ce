"""What happens to an order: it is paid, goods come back, it is cancelled."""

from typing import ClassVar

import msgspec

from shared.events.contract import Int64, OrderEvent, Topic


class PurchaseLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of an order. What was paid for it: quantity x unit_price_minor - discount_minor."""

    line_id: str
    sku: str
    quantity: Int64
    unit_price_minor: Int64
    discount_minor: Int64 = 0
    category: str | None = None
    brand: str | None = None


class PurchaseCompleted(OrderEvent, frozen=True, omit_defaults=True, kw_only=True):
    """An order was paid. `total_minor`: for goods, after discounts, tax included, shipping excluded."""

    TYPE: ClassVar[str] = "purchase.completed"
    TOPIC: ClassVar[Topic] = Topic.PURCHASES

    currency: str
    total_minor: Int64
    lines: tuple[PurchaseLine, ...]
    channel: str | None = None
    brand: str | None = None
    coupon_codes: tuple[str, ...] = ()
    referral_code: str | None = None
    redemption_id: str | None = None
    metadata: dict[str, str | int | bool | None] = msgspec.field(default_factory=dict)


class ReturnedLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Units of one line that came back, and the money given back for them."""

    line_id: str
    quantity: Int64
    amount_minor: Int64


class PurchaseReturned(OrderEvent, frozen=True, omit_defaults=True, kw_only=True):
    """Goods of an order came back; `total_minor` is the money given back by this return alone."""

    TYPE: ClassVar[str] = "purchase.returned"
    TOPIC: ClassVar[Topic] = Topic.PURCHASES

    currency: str
    total_minor: Int64
    lines: tuple[ReturnedLine, ...] = ()
    reason: str | None = None


class PurchaseCancelled(OrderEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The whole order was undone: everything that is left of it comes back."""

    TYPE: ClassVar[str] = "purchase.cancelled"
    TOPIC: ClassVar[Topic] = Topic.PURCHASES

    reason: str | None = None
