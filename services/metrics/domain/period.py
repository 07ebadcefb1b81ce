"""The period that a figure is about: local days of the programme, the last one not included."""

from dataclasses import dataclass
from datetime import date
from typing import Final

DAYS_MAX: Final = 20 * 366  # what one question may read


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open: [start, end)."""

    start: date
    end: date
