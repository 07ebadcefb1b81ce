"""A tenant's terms, in versions that never change once published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo


class Rounding(StrEnum):
    """What becomes of a part of a point."""

    FLOOR = "floor"
    HALF_UP = "half_up"
    CEIL = "ceil"


class ReturnPolicy(StrEnum):
    """What a return takes back (see returns.py)."""

    RECOMPUTE = "recompute"
    PRO_RATA = "pro_rata"
    ITEM = "item"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a version says. `points_per_unit` is for one whole unit of the currency (one euro, one yen)."""

    name: str
    currency: str
    time_zone: str
    locale: str
    points_per_unit: Decimal
    rounding: Rounding
    return_policy: ReturnPolicy
    activation_delay_days: int

    def activates_at(self, earned_at: datetime) -> datetime:
        """When points earned then can be spent: so many calendar days later, at the same time on the tenant's clock."""
        if not self.activation_delay_days:
            return earned_at
        local = earned_at.astimezone(ZoneInfo(self.time_zone))
        return (local + timedelta(days=self.activation_delay_days)).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One version of a tenant's programme. Versions count from 1 without gaps."""

    version: int
    terms: Terms
    effective_from: datetime
    recorded_at: datetime


def in_force(versions: Sequence[Programme], known: int, occurred_at: datetime, taken_in_at: datetime) -> Programme:
    """The version that rates what happened at `occurred_at`: the newest that was effective then, and not newer than
    `known`, the version stamped on the event when it was taken in; the first one, if none was.

    An event without a stamp (0) is rated by what was published when it was taken in. Nothing else decides, so that a
    replay rates every purchase as the first time. `versions`: at least one, ascending.
    """
    for candidate in reversed(versions):
        published = candidate.version <= known if known else candidate.recorded_at <= taken_in_at
        if published and candidate.effective_from <= occurred_at:
            return candidate
    return versions[0]
