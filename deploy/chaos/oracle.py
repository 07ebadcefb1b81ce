"""A serial oracle: the topic of purchases, folded record by record, in the plainest way that is right.

Nothing of a service is in it but the reading of a record: no batches, no wallets, no tables. It knows what shoppers do
here: purchases, returns and cancellations under the programme that every new tenant has, a point for each whole unit
that stays paid.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from shared.events.contract import OrderEvent
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.messaging.incoming import Incoming


@dataclass(frozen=True)
class Books:
    """What a tenant's events come to: each customer's points, the orders, the money given back."""

    points: dict[str, int]
    orders: int
    refunds_minor: int


@dataclass
class _Order:
    """One order as its events come. `early`: returns before the purchase."""

    event_id: str = ""
    purchase: PurchaseCompleted | None = None
    early: list[int] = field(default_factory=list)
    returned: int = 0
    cancelled: bool = False
    reinstated: bool = False

    def buy(self, event_id: str, purchase: PurchaseCompleted) -> None:
        """The first purchase counts; a later one reinstates an order that was cancelled, once."""
        if self.purchase is None:
            self.event_id, self.purchase = event_id, purchase
            for minor in self.early:
                self.give_back(minor)
        elif self.cancelled and not self.reinstated:
            self.cancelled, self.reinstated = False, True

    def give_back(self, minor: int) -> None:
        """What is more than is left does not count. Shoppers' returns name no lines."""
        if self.purchase is None:
            self.early.append(minor)
            return
        left = self.purchase.total_minor - self.returned
        if not self.cancelled and minor <= left:
            self.returned += minor


def folded(events: Iterable[Incoming], given_up: Container[str] = ()) -> Books:
    """The first event of an id counts. A return may come before its purchase, a cancellation not. Purchases that were
    `given_up` are orders without points."""
    seen: set[UUID] = set()
    orders: defaultdict[str, _Order] = defaultdict(_Order)
    for incoming in events:
        if incoming.id in seen or not isinstance(incoming.event, OrderEvent):
            continue
        seen.add(incoming.id)
        order = orders[incoming.event.order_id]
        match incoming.event:
            case PurchaseCompleted() as purchase:
                order.buy(str(incoming.id), purchase)
            case PurchaseReturned() as back:
                order.give_back(back.total_minor)
            case PurchaseCancelled() if order.purchase is not None:
                order.cancelled = True
            case other:
                raise ValueError(f"no shopper does this: {other}")
    return _books(orders.values(), given_up)


def _books(orders: Iterable[_Order], given_up: Container[str]) -> Books:
    points: defaultdict[str, int] = defaultdict(int)
    counted = [order for order in orders if order.purchase is not None and not order.cancelled]
    for order in counted:
        purchase = order.purchase
        if purchase is not None and purchase.customer_id is not None and order.event_id not in given_up:
            points[purchase.customer_id] += (purchase.total_minor - order.returned) // 100
    return Books(dict(points), len(counted), sum(order.returned for order in counted))
