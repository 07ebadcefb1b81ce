"""Local days: what a customer calls today."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def local_day(instant: datetime, *zones: str | None) -> date:
    """The day of this instant in the first of these zones that is known, else in UTC."""
    found = (zone for name in zones if (zone := _zone(name)) is not None)
    return instant.astimezone(next(found, ZoneInfo("UTC"))).date()


@lru_cache(maxsize=1024)
def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
