"""Orders and their refunds, and the rules that decide whether and where they count.

An order counts on the local day of its purchase. A refund lowers the revenue of its own day, and the order stays
counted, even when all of it came back. A cancellation voids the order: it and its refunds count nowhere any more,
unless its purchase comes again: then it is reinstated, once.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.metrics.domain.errors import (
    NegativeAmountError,
    OrderCancelledError,
    OrderDiffersError,
    OrderKnownError,
    OtherCustomerError,
    RefusedEventError,
    ReturnExceedsPurchaseError,
)

OrderKey = tuple[str, str]  # tenant, order id


@dataclass(slots=True)
class Refund:
    """Money given back by one return; `customer` where the return names one. A refused refund waited for its order, and
    the order turned out to be smaller or somebody else's. `amount_minor` is what counts: a minor unit more than what is
    left of the order is rounding where the return names lines, and cut off (`clamped_minor`)."""

    tenant: str
    order_id: str
    event_id: UUID
    customer: str | None
    amount_minor: int
    occurred_at: datetime
    day: date
    refused: bool = False
    clamped_minor: int = 0
    names_lines: bool = False

    @property
    def key(self) -> OrderKey:
        """Whose refund it is."""
        return self.tenant, self.order_id


@dataclass(slots=True)
class Order:
    """An order. Until its purchase comes, only its refunds and its cancellation are known, and nothing is decided: the
    cancellation may be somebody else's. `event_id` is None then, and `customer` is whom the cancellation named; one
    that names nobody counts for whoever bought it. A guest's order has no `customer`.

    `refunded_minor` is the sum of the refunds that are not refused. `reinstatable`: cancelled by an event that names
    the order's own customer, so that it comes on the partition of the purchase; `reinstated_by` is the event that took
    the cancellation back.
    """

    tenant: str
    order_id: str
    customer: str | None = None
    occurred_at: datetime | None = None
    day: date | None = None
    gross_minor: int | None = None
    refunded_minor: int = 0
    cancelled: bool = False
    event_id: UUID | None = None
    reinstated_by: UUID | None = None
    reinstatable: bool = False

    @property
    def key(self) -> OrderKey:
        """What identifies it, whatever event brings it."""
        return self.tenant, self.order_id

    @property
    def is_known(self) -> bool:
        """Whether its purchase has come."""
        return self.event_id is not None

    def learn(self, bought: "Order") -> None:
        """The purchase comes after a return or a cancellation."""
        if names_another(self.customer, bought.customer):
            self.cancelled = False  # a cancellation of somebody else
        self.reinstatable = self.cancelled and self.customer == bought.customer
        self.customer, self.occurred_at, self.day = bought.customer, bought.occurred_at, bought.day
        self.gross_minor, self.event_id = bought.gross_minor, bought.event_id

    def reinstate(self, again: "Order") -> None:
        """The purchase comes again. Raises OrderKnownError unless the order may be reinstated, which is once;
        OrderDiffersError when it is another purchase."""
        if not self.reinstatable:
            raise OrderKnownError(f"The order {self.order_id!r} came before, in the event {self.event_id}.")
        if (again.customer, again.gross_minor) != (self.customer, self.gross_minor):
            raise OrderDiffersError(f"The order {self.order_id!r} was another customer's, or of another total.")
        self.cancelled, self.reinstatable, self.reinstated_by = False, False, again.event_id

    def accept(self, refund: Refund) -> None:
        """Add a refund. Raises OtherCustomerError, NegativeAmountError, ReturnExceedsPurchaseError."""
        self._require_customer(refund.customer)
        if refund.amount_minor < 0:
            raise NegativeAmountError(f"A return of {refund.amount_minor} gives nothing back.")
        # A return that comes on another partition than the purchase would: it counts if that comes again.
        may_count = self.reinstatable and refund.customer != self.customer
        if self.cancelled and self.is_known and not may_count:
            raise ReturnExceedsPurchaseError(f"The order {self.order_id!r} was cancelled: nothing of it is left.")
        left = self.left_minor
        if left is not None and refund.amount_minor > left:
            if not (left and refund.names_lines) or refund.amount_minor > left + 1:
                raise ReturnExceedsPurchaseError(f"{refund.amount_minor} come back, {left} are left (minor units).")
            refund.amount_minor, refund.clamped_minor = left, 1
        self.refunded_minor += refund.amount_minor

    def cancel(self, customer: str | None) -> None:
        """Void it. Raises OtherCustomerError, and OrderCancelledError when it was cancelled before."""
        self._require_customer(customer)
        names_fewer = not self.is_known and self.customer is not None and customer is None
        if self.cancelled and not names_fewer:
            self.reinstatable = self.reinstatable and customer == self.customer
            raise OrderCancelledError(f"The order {self.order_id!r} was cancelled before.")
        self.cancelled = True
        self.reinstatable = self.is_known and customer == self.customer and self.reinstated_by is None
        self.customer = self.customer if self.is_known else customer

    @property
    def left_minor(self) -> int | None:
        """How much can still come back; None while nobody knows."""
        return None if self.gross_minor is None else self.gross_minor - self.refunded_minor

    def _require_customer(self, customer: str | None) -> None:
        if self.is_known and names_another(customer, self.customer):
            raise OtherCustomerError(f"The order {self.order_id!r} is not of the customer {customer!r}.")


def refusal_of(order: Order, refund: Refund) -> str:
    """Why a refund that waited was refused, by what is known now: less is left than was then. One that would still fit
    was somebody else's, whose name an erasure has taken away since."""
    try:
        replace(order, cancelled=False).accept(refund)
    except RefusedEventError as refused:
        return refused.code
    return OtherCustomerError.code


def names_another(one: str | None, other: str | None) -> bool:
    """Whether both name a customer, and not the same."""
    return one is not None and other is not None and one != other
