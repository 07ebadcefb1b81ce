"""A tenant's terms, in versions that never change once published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

RATE_MAX = 1000
"""The most points that a whole unit of the currency gives."""


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

    def waits(self, activate_at: datetime, received_at: datetime) -> bool:
        """Whether such points cannot be spent yet when their purchase is received. Without a delay nobody waits, though
        the shop's clock be ahead of ours."""
        return self.activation_delay_days > 0 and activate_at > received_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One version of a tenant's programme. Versions count from 1 without gaps."""

    version: int
    terms: Terms
    effective_from: datetime
    recorded_at: datetime


def in_force(versions: Sequence[Programme], known: int, occurred_at: datetime, taken_in_at: datetime) -> Programme:
    """The version that rates what happened at `occurred_at`: of those that are not newer than `known`, the version
    stamped on the event when it was taken in, and were effective by then, the one that became effective last (of one
    instant: the newest); the first one, if there is none. So a scheduled version applies when its time comes, whatever
    was corrected before it meanwhile.

    An event without a stamp (0) is rated by what was published when it was taken in. Nothing else decides, so that a
    replay rates every purchase as the first time. `versions`: at least one, ascending.
    """
    found = None
    for each in versions:
        published = each.version <= known if known else each.recorded_at <= taken_in_at
        if (
            published
            and each.effective_from <= occurred_at
            and (found is None or each.effective_from >= found.effective_from)
        ):
            found = each
    return found or versions[0]


def at_instant(versions: Sequence[Programme], at: datetime) -> Programme:
    """The version in force then, by all that is published now."""
    return in_force(versions, versions[-1].version, at, at)


def scheduled(versions: Sequence[Programme], now: datetime) -> list[Programme]:
    """What comes into force later, by what is published now, the next one first."""
    instants = sorted({each.effective_from for each in versions if each.effective_from > now})
    return [at_instant(versions, instant) for instant in instants]
