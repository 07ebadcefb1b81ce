"""How many points a return takes back: cumulative, and always by the rule that made the award.

    recompute   what stays is the award's own rule applied to what stays paid
    pro_rata    the returned share of the money, rounded to the nearest point
    item        the returned units' own share of the points; money returned without naming lines counts pro rata

Whatever the policy: what came back in several parts takes what it would have taken at once, what came back whole takes
everything, and nothing is ever given back by a return. Only the money decides whether a return is accepted, so that
every service judges alike: lines that the order does not have, or of which not so many units are left, count as money
returned without naming lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.points.domain.award import Award, divide_half_up, points_of
from services.points.domain.order import Line, Order, Refusal, RefusedError
from services.points.domain.programme import ReturnPolicy


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """Units of a line that came back, and the money given back for them."""

    line_id: str
    quantity: int
    minor: int = 0


@dataclass(frozen=True, slots=True)
class Return:
    """What a return says; `currency` and `customer_id` where it says so."""

    minor: int
    currency: str
    customer_id: str | None
    units: Sequence[ReturnedUnits] = ()


def take_return(order: Order, back: Return) -> int:
    """Note what came back and return how many points to take back now. Raises RefusedError, without any effect."""
    if back.currency != order.currency:  # an order's currency is the programme's, for good
        raise RefusedError(Refusal.CURRENCY_NOT_OF_PROGRAMME)
    _check_customer(order, back.customer_id)
    if back.minor < 0:
        raise RefusedError(Refusal.AMOUNT_NEGATIVE)
    if order.cancelled or order.returned_minor + back.minor > order.total_minor:
        raise RefusedError(Refusal.RETURN_EXCEEDS_PURCHASE)
    order.unlined_minor += _note_units(order, back)
    order.returned_minor += back.minor
    return _claw(order)


def cancel(order: Order, customer_id: str | None) -> int:
    """Everything that is left comes back: returns how many points to take back now. Raises RefusedError."""
    _check_customer(order, customer_id)
    if order.cancelled:
        raise RefusedError(Refusal.ORDER_ALREADY_CANCELLED)
    order.cancelled = True
    order.returned_minor = order.total_minor
    return _claw(order)


def target(order: Order, award: Award) -> int:
    """How many of the award's points must have been taken back, given what has come back so far."""
    if order.cancelled or order.returned_minor >= order.total_minor:
        return award.points
    return min(max(_wanted(order, award), 0), award.points)


def _wanted(order: Order, award: Award) -> int:
    match award.return_policy:
        case ReturnPolicy.RECOMPUTE:
            kept = order.total_minor - order.returned_minor
            return award.points - points_of(kept, order.currency, award.points_per_unit, award.rounding)
        case ReturnPolicy.PRO_RATA:
            return divide_half_up(award.points * order.returned_minor, order.total_minor)
        case ReturnPolicy.ITEM:
            by_units = sum(divide_half_up(line.points * line.returned, line.quantity) for line in order.lines)
            return by_units + divide_half_up(award.points * order.unlined_minor, order.total_minor)


def _claw(order: Order) -> int:
    if order.award is None:
        return 0
    now = max(0, target(order, order.award) - order.clawed)
    order.clawed += now
    return now


def _check_customer(order: Order, customer_id: str | None) -> None:
    """A return need not name the customer; a guest's order has none to differ from."""
    if customer_id is not None and order.customer_id is not None and customer_id != order.customer_id:
        raise RefusedError(Refusal.CUSTOMER_NOT_OF_ORDER)


def _note_units(order: Order, back: Return) -> int:
    """Note the units that came back of the order's lines; returns how much of the money came back without any."""
    lines: dict[str, Line] = {line.line_id: line for line in order.lines}
    units: dict[str, list[ReturnedUnits]] = {}
    for each in back.units:
        units.setdefault(each.line_id, []).append(each)
    usable = [name for name, parts in units.items() if _fits(lines.get(name), parts)]
    if not usable:
        return back.minor
    for name in usable:
        lines[name].returned += sum(part.quantity for part in units.pop(name))
    unlined = sum(max(part.minor, 0) for parts in units.values() for part in parts)
    return min(unlined, back.minor)


def _fits(line: Line | None, parts: Sequence[ReturnedUnits]) -> bool:
    if line is None or any(part.quantity < 0 for part in parts):
        return False
    return line.returned + sum(part.quantity for part in parts) <= line.quantity
