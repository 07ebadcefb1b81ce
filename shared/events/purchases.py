"""What happens to an order: it is paid, goods come back, it is cancelled."""

from typing import ClassVar

import msgspec

from shared.events.contract import Int64, OrderEvent, Topic


class PurchaseLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of an order. `thousandths` of a unit come on top of the whole ones of `quantity` (0.450 kg: 0 and 450).

    `paid_minor` was paid for it; where it is left out: quantity x unit_price_minor - discount_minor. It is there when
    that was rounded, when the line has a part of a discount on the whole order, and when one of them is a void or a
    voucher: such a line, of a negative price, lowers what was paid for others, and nothing was paid for itself.
    """

    line_id: str
    sku: str
    quantity: Int64
    unit_price_minor: Int64
    discount_minor: Int64 = 0
    category: str | None = None
    brand: str | None = None
    thousandths: Int64 = 0
    paid_minor: Int64 | None = None
    tax_minor: Int64 | None = None

    @property
    def paid(self) -> int:
        """What was paid for it in minor units, never below 0."""
        if self.paid_minor is not None:
            return self.paid_minor
        return max(self.quantity * self.unit_price_minor - self.discount_minor, 0)


class PurchaseCompleted(OrderEvent, frozen=True, omit_defaults=True, kw_only=True):
    """An order was paid. `total_minor`: for goods, after discounts, tax included, shipping excluded; what was paid for
    the lines, if there are any, sums up to it."""

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
    """Units of one line that came back, and the money given back for them. `thousandths` of a unit come on top of the
    whole ones."""

    line_id: str
    quantity: Int64
    amount_minor: Int64
    thousandths: Int64 = 0


class PurchaseReturned(OrderEvent, frozen=True, omit_defaults=True, kw_only=True):
    """Goods of an order came back; `total_minor` is the money given back by this return alone, and need not be the sum
    of its lines: a fee was kept, or something added."""

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
