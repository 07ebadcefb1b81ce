"""What metrics must know of a tenant's programme: where its days begin, and what its money is."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.metrics.domain.errors import ForeignCurrencyError, UnknownTimeZoneError


@dataclass(frozen=True, slots=True)
class Programme:
    """A tenant's programme in its newest version."""

    tenant: str
    version: int
    currency: str
    time_zone: str

    def business_date(self, instant: datetime) -> date:
        """The local day that an instant belongs to; it is fixed when the event is written."""
        return instant.astimezone(_zone(self.time_zone)).date()

    def require_currency(self, currency: str) -> None:
        """Raises ForeignCurrencyError for any currency but the programme's."""
        if currency != self.currency:
            raise ForeignCurrencyError(f"The programme counts in {self.currency}, not in {currency}.")

    def require_time_zone(self) -> None:
        """Raises UnknownTimeZoneError when local days cannot be told."""
        try:
            _zone(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise UnknownTimeZoneError(f"There is no time zone {self.time_zone!r}.") from error


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
