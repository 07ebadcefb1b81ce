"""A tenant's programme as far as messages need it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """`name` signs the messages; `locale` and `time_zone` stand in for what a profile does not say."""

    tenant: str
    version: int
    name: str
    currency: str
    time_zone: str
    locale: str
