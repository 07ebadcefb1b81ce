"""What is answered. Money is a decimal string, a share or a rate a number; null where nothing can be said."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pydantic import BaseModel, Field

from services.metrics.adapters.queries import Basis
from services.metrics.domain.period import Period
from shared.money import exponent


class Figure(BaseModel):
    """What stands with every figure."""

    start: date = Field(serialization_alias="from", description="First local day.")
    end: date = Field(serialization_alias="to", description="The local day after the last.")
    time_zone: str = Field(description="Where the days begin.", examples=["Europe/Berlin"])
    currency: str
    complete_through: datetime | None = Field(
        description="All events that were recorded before are in; null when that is not known."
    )
    definition: str = Field(description="Formula, variant and source of the figure.")


class RepeatPurchaseAnswer(Figure):
    """The share of customers who bought at least twice."""

    customers: int
    repeat_customers: int
    rate: float | None = Field(description="0 to 1.")


class PurchaseFrequencyAnswer(Figure):
    """Orders a customer."""

    orders: int
    customers: int
    frequency: float | None


class AverageOrderValueAnswer(Figure):
    """Money an order."""

    orders: int
    guest_orders: int = Field(description="Those of `orders` that name no customer.")
    revenue: str
    refunds: str
    average_order_value: str | None
    average_order_value_net: str | None


class NpsAnswer(Figure):
    """Net Promoter Score."""

    responses: int
    promoters: int
    passives: int
    detractors: int
    nps: float | None = Field(description="-100 to 100.")


def heading(period: Period, basis: Basis, definition: str) -> dict[str, Any]:
    """The fields of every figure."""
    return {
        "start": period.start,
        "end": period.end,
        "time_zone": basis.programme.time_zone,
        "currency": basis.programme.currency,
        "complete_through": basis.complete_through,
        "definition": definition,
    }


def average_text(minor: Decimal | None, currency: str) -> str | None:
    """An average amount with two digits more than the currency has: it is no sum that anybody pays."""
    if minor is None:
        return None
    digits = exponent(currency)
    return f"{minor.scaleb(-digits).quantize(Decimal(1).scaleb(-digits - 2), ROUND_HALF_UP):f}"
