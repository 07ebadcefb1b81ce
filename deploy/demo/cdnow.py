"""The log that the demo replays: every line becomes the same events in every run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

CURRENCY: Final = "USD"
TIME_ZONE: Final = "America/New_York"
START: Final = "1997-01-01"
END: Final = "1998-07-01"  # not included
_ZONE: Final = ZoneInfo(TIME_ZONE)
_SAMPLE: Final = Path(__file__).parent / "data" / "cdnow_sample.txt"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A line of the log. The day is the log's; the time of day is ours, spread over the opening hours."""

    number: int
    customer_id: str
    occurred_at: datetime
    discs: int
    total_minor: int

    @property
    def order_id(self) -> str:
        """The line's own: a second run names the same order."""
        return f"cdnow-{self.number:05}"

    @property
    def body(self) -> Mapping[str, object]:
        """What is posted. The log knows the total of a line, not the price of a disc."""
        discs = max(1, self.discs)
        unit = -(-self.total_minor // discs)
        line = {
            "line_id": "1",
            "sku": "cd",
            "category": "music",
            "quantity": discs,
            "unit_price": _dollars(unit),
            "discount": _dollars(unit * discs - self.total_minor),
        }
        return {
            "event_id": f"purchase-{self.number:05}",
            "order_id": self.order_id,
            "customer_id": self.customer_id,
            "occurred_at": self.occurred_at.isoformat(),
            "currency": CURRENCY,
            "total": _dollars(self.total_minor),
            "lines": [line],
            "channel": "online",
        }


def read_sample() -> list[Purchase]:
    """All 6,919 lines, in the order of their time, as they would have come."""
    lines = _SAMPLE.read_text(encoding="ascii").splitlines()
    purchases = [_purchase(number, line.split()) for number, line in enumerate(lines, start=1)]
    return sorted(purchases, key=lambda each: (each.occurred_at, each.number))


def _purchase(number: int, fields: list[str]) -> Purchase:
    _, customer, day, discs, dollars = fields
    whole, _, cents = dollars.partition(".")
    midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=_ZONE)
    return Purchase(
        number=number,
        customer_id=f"cdnow-{customer}",
        occurred_at=midnight + timedelta(hours=9, seconds=number * 7919 % 43_200),
        discs=int(discs),
        total_minor=int(whole) * 100 + int(cents),
    )


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
