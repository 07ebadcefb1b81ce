"""What is known of an order: the purchase, its award, and what came back of it so far.

An order may be known before its purchase, when a return overtook it: then there is only its id.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from services.points.domain.award import Award


class Refusal(StrEnum):
    """Why an event about an order has no effect. Stable: they are shown to the shop."""

    ORDER_ALREADY_COUNTED = "order_already_counted"
    CURRENCY_NOT_OF_PROGRAMME = "currency_not_of_programme"
    CUSTOMER_NOT_OF_ORDER = "customer_not_of_order"
    RETURN_EXCEEDS_PURCHASE = "return_exceeds_purchase"
    ORDER_ALREADY_CANCELLED = "order_already_cancelled"
    AMOUNT_NEGATIVE = "amount_negative"
    POINTS_BEYOND_LIMIT = "points_beyond_limit"
    ORDER_DIFFERS = "order_differs"


class RefusedError(Exception):
    """A rule of the business refuses the event; nothing has changed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class Line(msgspec.Struct):
    """A line's share of the order's points (under the policy `item`, else 0), and how much of the line came back; both
    quantities in thousandths of a unit."""

    line_id: str
    milli: int
    points: int
    returned: int = 0


class Cancelled(msgspec.Struct, frozen=True):
    """What a cancellation took, which is given back when the order is reinstated."""

    minor: int
    points: int


class Order(msgspec.Struct):
    """One order of a tenant; `customer_id` is None for a guest.

    `purchase_id` is the event that completed it, and the id of the lot that it filled; None as long as only returns
    have been seen. `returned_minor` never exceeds `total_minor`, nor `clawed` the award.

    `reinstatable`: cancelled, and by an event that names the order's own customer; `reinstated`: that was used up. Such
    events come on the purchase's partition, so that every service, and every replay, sees them in one order.
    `cancellation` is not kept with the order but known from its returns, and only looked up when its purchase comes
    again.
    """

    tenant: str
    order_id: str
    purchase_id: UUID | None = None
    customer_id: str | None = None
    currency: str = ""
    total_minor: int = 0
    occurred_at: datetime | None = None
    award: Award | None = None
    returned_minor: int = 0
    unlined_minor: int = 0  # what came back without lines, or with such as the order does not have
    clawed: int = 0
    cancelled: bool = False
    lines: list[Line] = []
    reinstatable: bool = False
    reinstated: bool = False
    cancellation: Cancelled | None = None

    @property
    def points(self) -> int:
        return self.award.points if self.award else 0
