"""What a basket would earn, and why not more. Nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.points.domain.award import AWARD_MAX, apportion, exact_points, points_of
from services.points.domain.explanation import earning
from services.points.domain.programme import Programme, at_instant
from shared.errors import Fault, InvalidError
from shared.money import to_text


@dataclass(frozen=True, slots=True)
class Basket:
    """What is about to be bought: the total, and what is paid for each line, by line id, where that is known."""

    total_minor: int
    currency: str
    lines: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """What it would earn now. `lost` to rounding: the part of a point by which it missed, or exceeded, the exact."""

    points: int
    exact: Decimal
    lines: Sequence[tuple[str, int]]
    programme: Programme
    active_from: datetime
    arithmetic: str

    @property
    def lost(self) -> Decimal:
        return self.exact - self.points


def quote(versions: Sequence[Programme], basket: Basket, now: datetime) -> Quote:
    """Rate a basket as a purchase of this moment would be. Raises InvalidError for another currency."""
    programme = at_instant(versions, now)
    terms = programme.terms
    if basket.currency != terms.currency:
        fault = Fault("/currency", "currency", f"This programme counts in {terms.currency}.", basket.currency)
        raise InvalidError("The body is not acceptable.", faults=[fault])
    points = points_of(basket.total_minor, terms.currency, terms.points_per_unit, terms.rounding)
    if points > AWARD_MAX:
        fault = Fault("/total", "points_beyond_limit", f"A purchase earns {AWARD_MAX} points at the most.")
        raise InvalidError("The body is not acceptable.", faults=[fault])
    exact = exact_points(basket.total_minor, terms.currency, terms.points_per_unit)
    shares = apportion(points, [paid for _, paid in basket.lines])
    detail = {
        "total": to_text(basket.total_minor, terms.currency),
        "currency": terms.currency,
        "points_per_unit": f"{terms.points_per_unit:f}",
        "exact": f"{exact:f}",
        "rounding": terms.rounding.value,
    }
    return Quote(
        points=points,
        exact=exact,
        lines=[(line_id, share) for (line_id, _), share in zip(basket.lines, shares, strict=True)],
        programme=programme,
        active_from=terms.activates_at(now),
        arithmetic=earning(points, detail),
    )
