"""How many points a return takes back: cumulative, and always by the rule that made the award.

    recompute   what stays is the award's own rule applied to what stays paid
    pro_rata    the returned share of the money, rounded to the nearest point
    item        the returned units' own share of the points; money returned without naming lines counts pro rata

Whatever the policy: what came back in several parts takes what it would have taken at once, what came back whole takes
everything, and nothing is ever given back by a return. Only the money decides whether a return is accepted, so that
every service judges alike: lines that the order does not have, or of which not so many units are left, count as money
returned without naming lines.

A minor unit more than what is left is rounding where a return names the units that came back (three thirds of 20.00
are 6.67 each): it is cut off, and shown. More is refused, and so is anything when nothing is left.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.points.domain.award import Award, divide_half_up, points_of
from services.points.domain.order import Cancelled, Line, Order, Refusal, RefusedError
from services.points.domain.programme import ReturnPolicy


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """Units of a line that came back, in thousandths, and the money given back for them."""

    line_id: str
    milli: int
    minor: int = 0


@dataclass(frozen=True, slots=True)
class Return:
    """What a return says; `currency` and `customer_id` where it says so."""

    minor: int
    currency: str
    customer_id: str | None
    units: Sequence[ReturnedUnits] = ()


class Unusable(StrEnum):
    """Why a line of a return counts as money without lines."""

    ORDER_HAS_NO_LINES = "order_has_no_lines"
    UNKNOWN_LINE = "unknown_line"
    MORE_THAN_LEFT = "more_than_left"
    MORE_THAN_ORDER = "more_than_order"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Taken:
    """What an accepted return came to: the points to take back, what was cut off of its money (0, or 1 minor unit), and
    the lines of it that could not be used, with how much of the money that is."""

    points: int
    clamped_minor: int = 0
    unusable: Mapping[str, Unusable] = field(default_factory=dict)
    unusable_minor: int = 0


def take_return(order: Order, back: Return) -> Taken:
    """Note what came back. Raises RefusedError, without any effect."""
    if back.currency != order.currency:  # an order's currency is the programme's, for good
        raise RefusedError(Refusal.CURRENCY_NOT_OF_PROGRAMME)
    _check_customer(order, back.customer_id)
    if back.minor < 0:
        raise RefusedError(Refusal.AMOUNT_NEGATIVE)
    left = order.total_minor - order.returned_minor
    clamped = max(back.minor - left, 0)
    if order.cancelled or clamped > (1 if left and back.units else 0):
        raise RefusedError(Refusal.RETURN_EXCEEDS_PURCHASE)
    minor = back.minor - clamped
    unusable = _note_units(order, back.units, minor)
    order.returned_minor += minor
    return Taken(_claw(order), clamped, unusable, _without_usable_lines(back.units, unusable, minor))


def cancel(order: Order, customer_id: str | None) -> int:
    """Everything that is left comes back: returns how many points to take back now. Raises RefusedError."""
    _check_customer(order, customer_id)
    if order.cancelled:
        order.reinstatable = order.reinstatable and customer_id == order.customer_id
        raise RefusedError(Refusal.ORDER_ALREADY_CANCELLED)
    order.cancelled = True
    order.reinstatable = customer_id == order.customer_id and not order.reinstated
    left, order.returned_minor = order.total_minor - order.returned_minor, order.total_minor
    points = _claw(order)
    order.cancellation = Cancelled(left, points)
    return points


def reinstate(order: Order, customer_id: str | None, total_minor: int) -> Cancelled:
    """The purchase of a cancelled order comes again: it is as before the cancellation, what came back of it earlier
    included. Returns what is given back. Once; raises RefusedError."""
    if order.cancellation is None or not order.reinstatable:
        raise RefusedError(Refusal.ORDER_ALREADY_COUNTED)
    if (customer_id, total_minor) != (order.customer_id, order.total_minor):
        raise RefusedError(Refusal.ORDER_DIFFERS)
    undone = order.cancellation
    order.cancelled, order.reinstatable, order.cancellation, order.reinstated = False, False, None, True
    order.returned_minor -= undone.minor
    order.clawed -= undone.points
    return undone


def must_wait(order: Order, customer_id: str | None) -> bool:
    """Whether a return of a cancelled order cannot be judged yet: the order may be reinstated, and the return comes on
    another partition than that would."""
    return order.reinstatable and customer_id != order.customer_id


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
            by_units = sum(divide_half_up(line.points * line.returned, line.milli) for line in order.lines)
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


def _note_units(order: Order, units: Sequence[ReturnedUnits], minor: int) -> dict[str, Unusable]:
    """Note the units that came back of the order's lines, and how much of the money came back without any."""
    lines: dict[str, Line] = {line.line_id: line for line in order.lines}
    named: dict[str, list[ReturnedUnits]] = {}
    for each in units:
        named.setdefault(each.line_id, []).append(each)
    unusable: dict[str, Unusable] = {}
    lined = 0
    for name, parts in named.items():
        line = lines.get(name)
        why = _why_not(order, line, parts)
        if line is None or why is not None:
            unusable[name] = why or Unusable.UNKNOWN_LINE
        else:
            line.returned += sum(part.milli for part in parts)
            lined += sum(part.minor for part in parts)
    order.unlined_minor += max(minor - lined, 0) if len(unusable) < len(named) else minor
    return unusable


def _without_usable_lines(units: Sequence[ReturnedUnits], unusable: Collection[str], minor: int) -> int:
    """How much of a return's money lines name that cannot be used: all of it, when there are no others."""
    lost = [each.minor for each in units if each.line_id in unusable]
    return minor if len(lost) == len(units) else min(sum(lost), minor)


def _why_not(order: Order, line: Line | None, parts: Sequence[ReturnedUnits]) -> Unusable | None:
    """Why these units cannot have come back of this line."""
    if line is None:
        return Unusable.UNKNOWN_LINE if order.lines else Unusable.ORDER_HAS_NO_LINES
    if any(part.milli < 0 or part.minor < 0 for part in parts):
        return Unusable.NEGATIVE
    if line.returned + sum(part.milli for part in parts) > line.milli:
        return Unusable.MORE_THAN_LEFT
    return Unusable.MORE_THAN_ORDER if sum(part.minor for part in parts) > order.total_minor else None
