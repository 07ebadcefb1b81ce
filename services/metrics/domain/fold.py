"""Folds a batch of order events into orders, refunds and what the days gain or lose by them."""

from collections import defaultdict
from collections.abc import Iterable

from services.metrics.domain.errors import NegativeAmountError, RefusedEventError
from services.metrics.domain.orders import Order, OrderKey, Refund
from services.metrics.domain.sums import DayChanges

COUNTED = "order.counted"
REFUNDED = "order.refunded"
VOIDED = "order.voided"
REINSTATED = "order.reinstated"
WAITING = "refund.waiting"


class OrderFold:
    """Starts from the orders as they are stored (those that the batch names) and the refunds of those that a purchase
    or a cancellation may move. Each method takes one event of the partition `part`, returns the kind of its effect, and
    raises RefusedEventError, nothing being changed then. `settled` are refunds that waited, and turned out to be
    refused or to be cut.
    """

    def __init__(self, orders: Iterable[Order], refunds: Iterable[Refund]) -> None:
        self._orders = {order.key: order for order in orders}
        self._refunds: defaultdict[OrderKey, list[Refund]] = defaultdict(list)
        for refund in refunds:
            self._refunds[refund.key].append(refund)
        self.created: dict[OrderKey, Order] = {}
        self.changed: dict[OrderKey, Order] = {}
        self.refunds: list[Refund] = []
        self.settled: list[Refund] = []
        self.days = DayChanges()

    def purchase(self, bought: Order, part: int) -> str:
        """An order was paid."""
        if bought.gross_minor is None or bought.gross_minor < 0:
            raise NegativeAmountError(f"An order of {bought.gross_minor} is none.")
        order = self._orders.get(bought.key)
        if order is None:
            order = self._orders[bought.key] = self.created[bought.key] = bought
        elif order.is_known:
            order.reinstate(bought)
            self._touch(order)
            self._count(order, 1, part)
            return REINSTATED
        else:
            order.learn(bought)
            self._touch(order)
            self._settle(order)
        if order.cancelled:
            return VOIDED
        self._count(order, 1, part)
        return COUNTED

    def give_back(self, refund: Refund, part: int) -> str:
        """Goods came back. Before its purchase is known a refund waits: it counts when the order does."""
        order = self._find(refund.key)
        order.accept(refund)
        self._touch(order)
        self._refunds[refund.key].append(refund)
        self.refunds.append(refund)
        if not order.is_known or order.cancelled:
            return WAITING
        self.days.add(order.tenant, order.customer, refund.day, part, 0, 0, refund.amount_minor)
        return REFUNDED

    def cancel(self, key: OrderKey, customer: str | None, part: int) -> str:
        """An order was undone."""
        order = self._find(key)
        self._touch(order)  # even a refused one may tell that the order cannot be reinstated
        order.cancel(customer)
        if order.is_known:
            self._count(order, -1, part)
        return VOIDED

    def _find(self, key: OrderKey) -> Order:
        order = self._orders.get(key)
        if order is None:
            order = self._orders[key] = self.created[key] = Order(*key)
        return order

    def _touch(self, order: Order) -> None:
        if order.key not in self.created:
            self.changed[order.key] = order

    def _settle(self, order: Order) -> None:
        """The order is known at last: of the refunds that waited the earlier go first, and what does not fit is
        refused."""
        waited = sorted(self._refunds[order.key], key=lambda each: (each.occurred_at, each.event_id))
        was_cancelled, order.cancelled, order.refunded_minor = order.cancelled, False, 0
        for refund in waited:
            try:
                order.accept(refund)
            except RefusedEventError:
                refund.refused = True
            if refund.refused or refund.clamped_minor:
                self.settled.append(refund)
        order.cancelled = was_cancelled

    def _count(self, order: Order, sign: int, part: int) -> None:
        """Add the whole order, with the refunds that it has, to the days, or take it out again."""
        if order.day is None or order.gross_minor is None:
            raise ValueError(f"the order {order.order_id} is not known yet")
        add = self.days.add
        add(order.tenant, order.customer, order.day, part, sign, sign * order.gross_minor, 0)
        if order.refunded_minor:
            for refund in self._refunds[order.key]:
                if not refund.refused:
                    add(order.tenant, order.customer, refund.day, part, 0, 0, sign * refund.amount_minor)
