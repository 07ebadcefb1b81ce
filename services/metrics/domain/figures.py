"""What is answered: counts, and the rates made of them. A rate of nothing is None, never 0.

Money is in minor units; averages are Decimals in units of the currency, not yet rounded.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class RepeatPurchase:
    """Customers who bought in the period, and those who did so at least twice in it."""

    customers: int
    repeat_customers: int

    @property
    def rate(self) -> float | None:
        """The share of those who came back, 0 to 1."""
        return self.repeat_customers / self.customers if self.customers else None


@dataclass(frozen=True, slots=True)
class PurchaseFrequency:
    """Orders of identified customers, and these customers."""

    orders: int
    customers: int

    @property
    def frequency(self) -> float | None:
        """Orders a customer."""
        return self.orders / self.customers if self.customers else None


@dataclass(frozen=True, slots=True)
class OrderValue:
    """Orders with what was paid for them, and the money given back in the period, for whatever orders."""

    orders: int
    guest_orders: int
    revenue_minor: int
    refunds_minor: int

    @property
    def average_minor(self) -> Decimal | None:
        """Paid an order."""
        return Decimal(self.revenue_minor) / self.orders if self.orders else None

    @property
    def average_net_minor(self) -> Decimal | None:
        """Paid and kept an order."""
        return Decimal(self.revenue_minor - self.refunds_minor) / self.orders if self.orders else None


@dataclass(frozen=True, slots=True)
class PromoterScore:
    """Customers who answered, by what their last answer says."""

    responses: int
    promoters: int
    detractors: int

    @property
    def passives(self) -> int:
        """Who answered 7 or 8."""
        return self.responses - self.promoters - self.detractors

    @property
    def nps(self) -> float | None:
        """-100 to 100, from the counts: shares that were rounded before are off by one."""
        return 100 * (self.promoters - self.detractors) / self.responses if self.responses else None
