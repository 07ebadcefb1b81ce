"""Money becomes points: one multiplication, one rounding. Decimals and integers, never a float."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal

import msgspec

from services.points.domain.programme import ReturnPolicy, Rounding
from shared.money import exponent

# Far beyond every real shop, far inside int64: whatever is added up of them fits its column. A purchase earns no more
# than the first; one that earns more than the second earns nothing when its customer has earned the third without it.
# (With lesser ones int64 would need nine thousand million purchases of one customer: nobody adds these up.)
AWARD_MAX = 10**12
LARGE_AWARD = 10**9
EARNED_MAX = 10**15
_MODES = {Rounding.FLOOR: ROUND_FLOOR, Rounding.HALF_UP: ROUND_HALF_UP, Rounding.CEIL: ROUND_CEILING}
# Wide enough that no product of an amount and a rate is ever rounded before its time.
_EXACT = Context(prec=60)


class Award(msgspec.Struct, frozen=True):
    """How an order earned its points: the rule as it was then, kept with the order, so that a return is judged by it
    and never by a later rule."""

    programme_version: int
    points_per_unit: Decimal
    rounding: Rounding
    return_policy: ReturnPolicy
    points: int


def exact_points(minor: int, currency: str, points_per_unit: Decimal) -> Decimal:
    """The points of an amount before rounding."""
    return _EXACT.multiply(Decimal(minor).scaleb(-exponent(currency), _EXACT), points_per_unit)


def points_of(minor: int, currency: str, points_per_unit: Decimal, rounding: Rounding) -> int:
    """The points of an amount."""
    return int(exact_points(minor, currency, points_per_unit).to_integral_value(_MODES[rounding], _EXACT))


def within_limits(points: int, earned_before: int) -> bool:
    """Whether an award may be credited to a customer who has earned so much before; that counts for a large one."""
    return points <= AWARD_MAX and (points <= LARGE_AWARD or earned_before + points <= EARNED_MAX)


def divide_half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number to a quotient of non-negative numbers, the greater one in the middle."""
    return (2 * numerator + denominator) // (2 * denominator)
