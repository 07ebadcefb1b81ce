"""The programme as HTTP carries it: what a tenant may say, and what it is told."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.points.application.programmes import Change
from services.points.domain.programme import RATE_MAX, Programme, ReturnPolicy, Rounding, at_instant, scheduled
from shared.http.fields import Currency, DisplayName, Instant, Locale, TimeZone

_RATE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")
_DELAY = re.compile(r"P([0-9]{1,3})D")


def _rate(text: str) -> str:
    if not _RATE.fullmatch(text) or Decimal(text) > RATE_MAX:
        raise PydanticCustomError(
            "rate", f"Must be a decimal number from 0 to {RATE_MAX} with up to six digits after the point."
        )
    return text


def _delay(text: str) -> str:
    if not _DELAY.fullmatch(text):
        raise PydanticCustomError("duration", "Must be a duration of whole days, such as P14D.")
    return text


_SHOWN = Field(description="Only shown: taken so that what GET gives can be put back, and not looked at.")


class ProgrammeChange(BaseModel):
    """What a tenant sends; what is left out is as in the version in force when the change becomes effective."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Treue", "currency": "EUR", "points_per_unit": "1"}]},
    )

    name: DisplayName | None = None
    currency: Currency | None = Field(default=None, description="Never changes.")
    time_zone: TimeZone | None = None
    locale: Locale | None = None
    points_per_unit: Annotated[str, AfterValidator(_rate)] | None = Field(
        default=None, description="Points for one whole unit of the currency."
    )
    rounding: Rounding | None = None
    return_policy: ReturnPolicy | None = None
    activation_delay: Annotated[str, AfterValidator(_delay)] | None = Field(
        default=None, description="How long earned points stay pending: ISO 8601, whole days."
    )
    effective_from: Instant | None = Field(
        default=None,
        description="The first purchase that it rates; the beginning of the current day if left out, or if it is that"
        " of the version in force, as GET shows it.",
    )
    version: Annotated[Any, _SHOWN] = None
    recorded_at: Annotated[Any, _SHOWN] = None
    scheduled: Annotated[Any, _SHOWN] = None

    def change(self) -> Change:
        """The same for the application."""
        given = self.model_dump(exclude={"points_per_unit", "activation_delay", "version", "recorded_at", "scheduled"})
        rate, delay = self.points_per_unit, self.activation_delay
        return Change(
            **given,
            points_per_unit=None if rate is None else Decimal(rate).normalize(),
            activation_delay_days=None if delay is None else int(delay[1:-1]),
        )


class ProgrammeView(BaseModel):
    """One version of a programme."""

    name: str
    currency: str
    time_zone: str
    locale: str
    points_per_unit: str
    rounding: Rounding
    return_policy: ReturnPolicy
    activation_delay: str
    version: int
    effective_from: datetime
    recorded_at: datetime


class ProgrammeNow(ProgrammeView):
    """The version in force now."""

    scheduled: list[ProgrammeView] = Field(description="What is published for later, the next one first.")


def etag_of(versions: Sequence[Programme], now: datetime) -> str:
    """The validator of what GET shows: it changes with every version that is published, and with the one in force."""
    return f'"{versions[-1].version}.{at_instant(versions, now).version}"'


def programme_now(versions: Sequence[Programme], now: datetime) -> ProgrammeNow:
    """What is in force, and what comes."""
    current = programme_view(at_instant(versions, now))
    return ProgrammeNow(**current.model_dump(), scheduled=[programme_view(each) for each in scheduled(versions, now)])


def programme_view(programme: Programme) -> ProgrammeView:
    """A version as it is shown."""
    terms = programme.terms
    return ProgrammeView(
        name=terms.name,
        currency=terms.currency,
        time_zone=terms.time_zone,
        locale=terms.locale,
        points_per_unit=f"{terms.points_per_unit:f}",
        rounding=terms.rounding,
        return_policy=terms.return_policy,
        activation_delay=f"P{terms.activation_delay_days}D",
        version=programme.version,
        effective_from=programme.effective_from,
        recorded_at=programme.recorded_at,
    )
