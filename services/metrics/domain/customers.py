"""What is known of each customer over all days. Money and orders are added up; the first, second and last day and the
number of days cannot be taken back by subtraction, so they are read from the customer's days anew when history moves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.metrics.domain.sums import Sums

CustomerKey = tuple[str, str]  # tenant, customer
DaySums = tuple[date, Sums]


@dataclass(slots=True)
class CustomerState:
    """Days of the first, the second and the last counted order, the number of days with one, and the sums of all."""

    first_day: date | None = None
    second_day: date | None = None
    last_day: date | None = None
    days: int = 0
    orders: int = 0
    gross_minor: int = 0
    refunded_minor: int = 0

    @classmethod
    def of(cls, days: Iterable[DaySums]) -> "CustomerState":
        """The state of a customer with these days."""
        state = cls()
        for day, sums in sorted(days, key=lambda each: each[0]):
            state._append(day, sums)
        return state

    def extend(self, changes: Sequence[DaySums]) -> bool:
        """Add changes, given in the order of their days. False, and nothing is changed, when they reach back behind
        the last day or take orders away: then `of` all days is the state."""
        buying = [day for day, sums in changes if sums.orders]
        if any(sums.orders < 0 for _, sums in changes) or (buying and self.last_day and buying[0] < self.last_day):
            return False
        for day, sums in changes:
            self._append(day, sums)
        return True

    def _append(self, day: date, sums: Sums) -> None:
        self.orders += sums.orders
        self.gross_minor += sums.gross_minor
        self.refunded_minor += sums.refunded_minor
        if sums.orders:
            self._note(day, sums.orders)

    def _note(self, day: date, orders: int) -> None:
        self.days += day != self.last_day
        if self.second_day is None and (self.first_day is not None or orders > 1):
            self.second_day = day
        self.first_day = self.first_day or day
        self.last_day = day
