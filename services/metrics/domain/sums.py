"""What events add to the days: additive figures, by customer and by tenant."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

CustomerDay = tuple[str, str, date]  # tenant, customer, day
# Tenant, day, whether of guests, partition. Each partition adds to rows of its own, so that the partitions of a busy
# shop do not queue for the row of today; a reader adds them up.
TenantDay = tuple[str, date, bool, int]


@dataclass(slots=True)
class Sums:
    """Orders, money taken and money given back, in minor units; as a change they may be negative."""

    orders: int = 0
    gross_minor: int = 0
    refunded_minor: int = 0

    def add(self, orders: int, gross_minor: int, refunded_minor: int) -> None:
        """Add to each."""
        self.orders += orders
        self.gross_minor += gross_minor
        self.refunded_minor += refunded_minor


@dataclass(slots=True)
class DayChanges:
    """What a batch adds to each day."""

    customers: defaultdict[CustomerDay, Sums] = field(default_factory=lambda: defaultdict(Sums))
    tenants: defaultdict[TenantDay, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def add(self, tenant: str, customer: str | None, day: date, part: int, *sums: int) -> None:
        """Add orders, gross and refunded money to a day. Guests count for the tenant alone."""
        self.tenants[tenant, day, customer is None, part].add(*sums)
        if customer is not None:
            self.customers[tenant, customer, day].add(*sums)

    def by_customer(self) -> dict[tuple[str, str], list[tuple[date, Sums]]]:
        """The changes of each customer by (tenant, customer), the days in order."""
        found: defaultdict[tuple[str, str], list[tuple[date, Sums]]] = defaultdict(list)
        for (tenant, customer, day), sums in sorted(self.customers.items(), key=lambda item: item[0]):
            found[tenant, customer].append((day, sums))
        return found
