"""What every service must know of a tenant's programme."""

from typing import ClassVar, Literal

from shared.events.contract import Event, Instant, Int64, Topic

Rounding = Literal["floor", "half_up", "ceil"]
ReturnPolicy = Literal["recompute", "pro_rata", "item"]


class ProgrammeUpdated(Event, frozen=True, omit_defaults=True, kw_only=True):
    """A version of the programme was published. Versions count from 1 without gaps; the currency never changes.

    `effective_from` is the first instant whose purchases it rates; `points_per_unit` is a decimal string;
    `activation_delay_days` is how long earned points stay pending.
    """

    TYPE: ClassVar[str] = "programme.updated"
    TOPIC: ClassVar[Topic] = Topic.PROGRAMMES

    version: Int64
    effective_from: Instant
    name: str
    currency: str
    time_zone: str
    locale: str
    points_per_unit: str
    rounding: Rounding
    return_policy: ReturnPolicy
    activation_delay_days: Int64 = 0

    @property
    def key_suffix(self) -> str:
        return ""
