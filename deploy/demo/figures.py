"""The figures that the platform's answers are compared with, computed from the file by the plainest means."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from deploy.demo.answers import Answer
from deploy.demo.cdnow import Purchase

Value = int | str | float | None
Figures = Mapping[str, Value]
# Name and label, in the order in which they are shown.
LABELS: Final = {
    "customers": "Customers",
    "purchases": "Purchases",
    "revenue": "Revenue",
    "repeat_customers": "Customers who came back",
    "repeat_rate": "Repeat purchase rate",
    "frequency": "Purchases a customer",
    "average_order_value": "Average order value",
    "feedback": "Answers",
    "nps": "Net Promoter Score",
    "points": "Points in wallets",
}


def of_file(purchases: Sequence[Purchase], answers: Sequence[Answer]) -> Figures:
    """One point for each whole dollar of a purchase; everything else as metrics defines it."""
    orders = Counter(each.customer_id for each in purchases)
    cents = sum(each.total_minor for each in purchases)
    promoters, detractors = (sum(test(each.score) for each in answers) for test in (_promotes, _detracts))
    repeaters = sum(count > 1 for count in orders.values())
    average = (Decimal(cents) / 100 / len(purchases)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return {
        "customers": len(orders),
        "purchases": len(purchases),
        "revenue": f"{Decimal(cents) / 100:.2f}",
        "repeat_customers": repeaters,
        "repeat_rate": repeaters / len(orders),
        "frequency": len(purchases) / len(orders),
        "average_order_value": str(average),
        "feedback": len(answers),
        "nps": 100 * (promoters - detractors) / len(answers),
        "points": sum(each.total_minor // 100 for each in purchases),
    }


def _promotes(score: int) -> bool:
    return score >= 9


def _detracts(score: int) -> bool:
    return score <= 6
