"""What a batch's events mean for their orders, in the order of the log. Needs no wallet: what an order earns, and what
a return takes back, follows from the order and the programme alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from services.points.application.ports import CustomerKey, OrderKey, OrderReturn
from services.points.domain.award import LARGE_AWARD, Award, exact_points, points_of, within_limits
from services.points.domain.ledger import Reason
from services.points.domain.order import Line, Order, Refusal, RefusedError
from services.points.domain.programme import RATE_MAX, Programme, ReturnPolicy, Rounding, in_force
from services.points.domain.returns import Return, ReturnedUnits, Taken, cancel, must_wait, reinstate, take_return
from shared.apportionment import apportion
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.messaging.incoming import Incoming, Outcome
from shared.money import to_text

_NO_PROGRAMME = Outcome("waiting", "programme_unknown")
# Nothing below it earns a large award, whatever the currency: a unit gives RATE_MAX points at the most.
_SMALL_MINOR = LARGE_AWARD // RATE_MAX
_ZERO_CLAWED = {"kind": "points.clawed_back", "points": 0}
_ZERO_RESTORED = {"kind": "points.restored", "points": 0}


class Movement(msgspec.Struct, frozen=True):
    """Points to credit, to take back or to give back, as `reason` says, because of `event`. `programme` rated a credit;
    None: no credit. `shown`: what the effect says besides."""

    event: Incoming
    order: Order
    customer_id: str
    points: int
    reason: Reason
    programme: Programme | None
    detail: dict[str, Any]
    shown: dict[str, Any] = {}


class OrderFold:
    """Folds events into orders.

    `movements` are for the wallets, which say what became of those events; `outcomes` says it of the others. `early`
    are returns of the batch whose purchase has not come, `waited` returns that had waited and are taken up now.
    `earned` is what the customers of large purchases (`large_purchases`) have earned so far.
    """

    def __init__(
        self,
        programmes: Mapping[str, Sequence[Programme]],
        orders: dict[OrderKey, Order],
        waiting: dict[OrderKey, list[Incoming]],
        earned: dict[CustomerKey, int],
    ) -> None:
        self._programmes, self._orders, self._waiting, self._earned = programmes, orders, waiting, earned
        self.new: dict[OrderKey, Order] = {}
        self.changed: dict[OrderKey, Order] = {}
        self.movements: list[Movement] = []
        self.outcomes: dict[UUID, Outcome] = {}
        self.returns: list[OrderReturn] = []
        self.early: dict[OrderKey, list[Incoming]] = {}
        self.waited: list[Incoming] = []

    def fold(self, event: Incoming) -> None:
        """Take one event up."""
        versions = self._programmes.get(event.tenant)
        if not versions:
            self.outcomes[event.id] = _NO_PROGRAMME
            return
        try:
            match event.event:
                case PurchaseCompleted() as purchase:
                    self._purchase(event, purchase, versions)
                case PurchaseReturned() | PurchaseCancelled() as back:
                    self._came_back(event, back, versions[0].terms.currency)
                case _:
                    pass
        except RefusedError as refused:
            self.outcomes[event.id] = Outcome("rejected", refused.refusal.value)

    def _purchase(self, event: Incoming, data: PurchaseCompleted, versions: Sequence[Programme]) -> None:
        key = (event.tenant, data.order_id)
        order = self._orders.get(key)
        if order is not None and order.purchase_id is not None:
            self._reinstate(event, order, data)
            return
        programme = in_force(versions, event.envelope.programme_version, data.occurred_at, event.envelope.time)
        award = _award(data, programme)
        refused = not self._may_earn(event.tenant, data.customer_id, award.points)
        if refused:  # the order stands, as in the figures; its points do not
            award = replace(award, points=0)
        order = self._order(key)
        self._note_change(order)
        order.purchase_id, order.customer_id, order.occurred_at = event.id, data.customer_id, data.occurred_at
        order.currency, order.total_minor, order.award = data.currency, data.total_minor, award
        if data.lines:
            order.lines = _lines(data, award)
        if refused:
            self.outcomes[event.id] = Outcome("rejected", Refusal.POINTS_BEYOND_LIMIT.value)
        elif data.customer_id is None:
            self.outcomes[event.id] = Outcome(effects=({"kind": "order.recorded", "order_id": data.order_id},))
        else:
            self.movements.append(
                Movement(
                    event, order, data.customer_id, award.points, Reason.PURCHASE_COMPLETED, programme,
                    _earning_detail(data, award),
                )
            )  # fmt: skip
        self._take_up_waiting(key, order)

    def _reinstate(self, event: Incoming, order: Order, data: PurchaseCompleted) -> None:
        """The purchase of an order that is known comes again. Raises RefusedError unless that was cancelled."""
        undone = reinstate(order, data.customer_id, data.total_minor)
        self._note_change(order)
        self.returns.append(
            OrderReturn(
                order.tenant, order.order_id, event.id, -undone.minor, -undone.points, cancels=False,
                occurred_at=data.occurred_at, reinstates=True,
            )
        )  # fmt: skip
        if order.customer_id is None or not undone.points:
            self.outcomes[event.id] = Outcome(effects=(_ZERO_RESTORED,))
        else:
            detail = _return_detail(order, -undone.minor, order.clawed + undone.points)
            self.movements.append(
                Movement(event, order, order.customer_id, undone.points, Reason.PURCHASE_REINSTATED, None, detail)
            )
        self._take_up_waiting((order.tenant, order.order_id), order)

    def _may_earn(self, tenant: str, customer_id: str | None, points: int) -> bool:
        """Whether the limits allow it; if so, it is added to what the customer has earned, where that is known."""
        if customer_id is None:
            return within_limits(points, 0)
        key = (tenant, customer_id)
        allowed = within_limits(points, self._earned.get(key, 0))
        if allowed and key in self._earned:
            self._earned[key] += points
        return allowed

    def _take_up_waiting(self, key: OrderKey, order: Order) -> None:
        """Returns that came before: in the order in which they happened, whenever they arrived, and then cancellations,
        first those that name nobody."""
        waited = self._waiting.pop(key, [])
        self.waited += waited
        for event in sorted([*waited, *self.early.pop(key, ())], key=_turn):
            try:
                self._take(event, order)
            except RefusedError as refused:
                self.outcomes[event.id] = Outcome("rejected", refused.refusal.value)

    def _came_back(self, event: Incoming, data: PurchaseReturned | PurchaseCancelled, currency: str) -> None:
        if isinstance(data, PurchaseReturned) and data.currency != currency:  # need not wait for its purchase
            raise RefusedError(Refusal.CURRENCY_NOT_OF_PROGRAMME)
        key = (event.tenant, data.order_id)
        order = self._order(key)
        waits = isinstance(data, PurchaseReturned) and must_wait(order, data.customer_id)
        if order.purchase_id is None or waits:
            self.early.setdefault(key, []).append(event)
        else:
            self._take(event, order)

    def _take(self, event: Incoming, order: Order) -> None:
        """Have a return's effect on its order. Raises RefusedError."""
        data, before, clawed = event.event, order.returned_minor, order.clawed
        shown: dict[str, Any] = {}
        if isinstance(data, PurchaseReturned):
            taken = take_return(order, _return_of(data))
            points, reason, shown = taken.points, Reason.PURCHASE_RETURNED, _shown(taken, order.currency)
        else:
            self._note_change(order)  # even a refused one may tell that the order cannot be reinstated
            points = cancel(order, data.customer_id if isinstance(data, PurchaseCancelled) else None)
            reason = Reason.PURCHASE_CANCELLED
        self._note_change(order)
        minor, cancels = order.returned_minor - before, reason is Reason.PURCHASE_CANCELLED
        self.returns.append(
            OrderReturn(order.tenant, order.order_id, event.id, minor, points, cancels, data.occurred_at)
        )
        if order.customer_id is None or not points:
            self.outcomes[event.id] = Outcome(effects=({**_ZERO_CLAWED, **shown},))
            return
        detail = _return_detail(order, minor, clawed) | shown
        self.movements.append(Movement(event, order, order.customer_id, points, reason, None, detail, shown))

    def _order(self, key: OrderKey) -> Order:
        """The order to change; made here when nobody has heard of it."""
        order = self._orders.get(key)
        if order is None:
            order = self._orders[key] = self.new[key] = Order(*key)
        return order

    def _note_change(self, order: Order) -> None:
        key = (order.tenant, order.order_id)
        if key not in self.new:
            self.changed[key] = order


def _turn(event: Incoming) -> tuple[bool, bool, datetime, UUID]:
    data = event.event
    names_somebody = isinstance(data, PurchaseCancelled) and data.customer_id is not None
    return isinstance(data, PurchaseCancelled), names_somebody, data.occurred_at, event.id


def large_purchases(events: Sequence[Incoming], programmes: Mapping[str, Sequence[Programme]]) -> set[CustomerKey]:
    """Customers of the purchases that may earn so much that it matters what their customers have earned before."""
    return {
        (event.tenant, event.event.customer_id)
        for event in events
        if isinstance(event.event, PurchaseCompleted)
        and event.event.customer_id is not None
        and event.event.total_minor > _SMALL_MINOR
        and _may_be_large(event.event, programmes.get(event.tenant, ()))
    }


def _may_be_large(data: PurchaseCompleted, versions: Sequence[Programme]) -> bool:
    if not versions or data.currency != versions[0].terms.currency:
        return False
    rate = max(each.terms.points_per_unit for each in versions)
    return points_of(data.total_minor, data.currency, rate, Rounding.CEIL) > LARGE_AWARD


def _award(data: PurchaseCompleted, programme: Programme) -> Award:
    terms = programme.terms
    if data.currency != terms.currency:
        raise RefusedError(Refusal.CURRENCY_NOT_OF_PROGRAMME)
    if data.total_minor < 0:
        raise RefusedError(Refusal.AMOUNT_NEGATIVE)
    points = points_of(data.total_minor, data.currency, terms.points_per_unit, terms.rounding)
    return Award(programme.version, terms.points_per_unit, terms.rounding, terms.return_policy, points)


def _lines(data: PurchaseCompleted, award: Award) -> list[Line]:
    """The lines, to know them when they come back; by item, each with its share of the points."""
    if award.return_policy is not ReturnPolicy.ITEM:
        return [Line(line.line_id, line.quantity * 1000 + line.thousandths, 0) for line in data.lines]
    shares = apportion(award.points, [line.paid for line in data.lines])
    return [
        Line(line.line_id, line.quantity * 1000 + line.thousandths, share)
        for line, share in zip(data.lines, shares, strict=True)
    ]


def _return_of(data: PurchaseReturned) -> Return:
    units = [
        ReturnedUnits(line.line_id, line.quantity * 1000 + line.thousandths, line.amount_minor) for line in data.lines
    ]
    return Return(data.total_minor, data.currency, data.customer_id, units)


def _shown(taken: Taken, currency: str) -> dict[str, Any]:
    """What is worth saying of a return that was taken: what was cut off, and which lines could not be used."""
    shown: dict[str, Any] = {}
    if taken.clamped_minor:
        shown["clamped"] = to_text(taken.clamped_minor, currency)
    if taken.unusable:
        shown["without_usable_lines"] = to_text(taken.unusable_minor, currency)
        shown["unusable_lines"] = [{"line_id": line_id, "why": why.value} for line_id, why in taken.unusable.items()]
    return shown


def _earning_detail(data: PurchaseCompleted, award: Award) -> dict[str, Any]:
    return {
        "total": to_text(data.total_minor, data.currency),
        "currency": data.currency,
        "points_per_unit": f"{award.points_per_unit:f}",
        "exact": f"{exact_points(data.total_minor, data.currency, award.points_per_unit):f}",
        "rounding": award.rounding,
        **_paid_for_lines(data),
    }


def _paid_for_lines(data: PurchaseCompleted) -> dict[str, Any]:
    """What was paid for each line, if for one of them that is not what its price says."""
    if all(line.paid_minor is None for line in data.lines):
        return {}
    return {
        "paid_for_lines": [{"line_id": line.line_id, "paid": to_text(line.paid, data.currency)} for line in data.lines]
    }


def _return_detail(order: Order, minor: int, clawed_before: int) -> dict[str, Any]:
    return {
        "total": to_text(order.total_minor, order.currency),
        "currency": order.currency,
        "returned": to_text(minor, order.currency),
        "returned_in_all": to_text(order.returned_minor, order.currency),
        "return_policy": order.award.return_policy if order.award else None,
        "awarded": order.points,
        "taken_back_before": clawed_before,
        "taken_back_in_all": order.clawed,
    }
