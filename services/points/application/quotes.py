"""What a basket would earn, and why not more. Nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.points.domain.award import AWARD_MAX, exact_points, points_of
from services.points.domain.explanation import earning
from services.points.domain.programme import Programme, at_instant
from shared.apportionment import apportion
from shared.errors import Fault, InvalidError
from shared.events.purchases import PurchaseCompleted
from shared.money import to_text


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """What is paid for a line, in minor units, and its share of the points."""

    line_id: str
    paid_minor: int
    points: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What it would earn now. `lost` to rounding: the part of a point by which it missed, or exceeded, the exact."""

    points: int
    exact: Decimal
    lines: Sequence[QuotedLine]
    programme: Programme
    active_from: datetime
    arithmetic: str

    @property
    def lost(self) -> Decimal:
        return self.exact - self.points


def quote(versions: Sequence[Programme], purchase: PurchaseCompleted, now: datetime) -> Quote:
    """Rate a purchase that may be to come as if it came at this moment. Raises InvalidError for another currency, and
    for more points than a purchase earns."""
    programme = at_instant(versions, min(purchase.occurred_at, now))
    terms, total, currency = programme.terms, purchase.total_minor, purchase.currency
    if currency != terms.currency:
        fault = Fault("/currency", "currency", f"This programme counts in {terms.currency}.", currency)
        raise InvalidError("The body is not acceptable.", faults=[fault])
    points = points_of(total, currency, terms.points_per_unit, terms.rounding)
    if points > AWARD_MAX:
        fault = Fault("/total", "points_beyond_limit", f"A purchase earns {AWARD_MAX} points at the most.")
        raise InvalidError("The body is not acceptable.", faults=[fault])
    exact = exact_points(total, currency, terms.points_per_unit)
    shares = apportion(points, [line.paid for line in purchase.lines])
    detail = {
        "total": to_text(total, currency),
        "currency": currency,
        "points_per_unit": f"{terms.points_per_unit:f}",
        "exact": f"{exact:f}",
        "rounding": terms.rounding.value,
    }
    return Quote(
        points=points,
        exact=exact,
        lines=[QuotedLine(line.line_id, line.paid, share) for line, share in zip(purchase.lines, shares, strict=True)],
        programme=programme,
        active_from=terms.activates_at(min(purchase.occurred_at, now)),
        arithmetic=earning(points, detail),
    )
