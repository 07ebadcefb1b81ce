"""A tenant, as far as the gateway needs to know it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tenant:
    """`programme_version` is the newest version of its programme that has reached us; 0 while there is none.
    `events_per_s` is the operator's limit for this tenant; None where the installation's counts."""

    tenant: str
    currency: str
    time_zone: str
    locale: str
    programme_version: int
    events_per_s: int | None = None
