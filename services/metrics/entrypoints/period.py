"""`?from=2026-01-01&to=2026-04-01`: the period that a question is about."""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request
from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.metrics.domain.period import DAYS_MAX, Period
from shared.errors import InvalidError
from shared.http.errors import PlacedFault

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _calendar_day(value: Any) -> date:
    """Only yyyy-mm-dd: no times, no time stamps, no other numerals."""
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("date", "There is no such day.") from error
    raise PydanticCustomError("date", "A day is written yyyy-mm-dd.")


Day = Annotated[date, BeforeValidator(_calendar_day)]


class PeriodQuery(BaseModel):
    """The two days."""

    start: Day = Field(alias="from", description="First local day.", examples=["2026-01-01"])
    end: Day = Field(alias="to", description="The local day after the last.", examples=["2026-04-01"])

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: date, info: ValidationInfo) -> date:
        start = info.data.get("start")
        if start is not None and end <= start:
            raise PydanticCustomError("after", "`to` must be after `from`: it is not included.")
        if start is not None and end - start > timedelta(days=DAYS_MAX):
            raise PydanticCustomError("span", f"A period has at most {DAYS_MAX} days.")
        return end


async def _asked_period(request: Request, query: Annotated[PeriodQuery, Query()]) -> Period:
    names = [name for name, _ in request.query_params.multi_items()]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        faults = [PlacedFault(f"/{name}", "once", "Give it once.") for name in repeated]
        raise InvalidError("The request is not acceptable.", faults=faults)
    return Period(query.start, query.end)


AskedPeriod = Annotated[Period, Depends(_asked_period)]
