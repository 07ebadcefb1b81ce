"""Fields that bodies of several services have: one rule and one sentence for each, wherever it is given."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared import localisation

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _locale(text: str) -> str:
    found = localisation.locale_of(text)
    if found is None:
        raise PydanticCustomError("locale", "Must be a language with an optional region, such as de-DE.")
    return found


def _time_zone(text: str) -> str:
    if not localisation.is_time_zone(text):
        raise PydanticCustomError("time_zone", "Must be the IANA name of a time zone, such as Europe/Berlin.")
    return text


def _currency(code: str) -> str:
    if not localisation.is_currency(code):
        raise PydanticCustomError("currency", "Must be an ISO 4217 code in capital letters, such as EUR.")
    return code


def _instant(given: Any) -> Any:
    """Pydantic would take a number, or the digits of one, for seconds since 1970."""
    if isinstance(given, datetime) or (isinstance(given, str) and _INSTANT.fullmatch(given)):
        return given
    raise PydanticCustomError(
        "instant", "Must be an RFC 3339 instant with its offset, such as 2026-11-22T10:00:00+01:00."
    )


def _name(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("name", "Must not be empty.")
    if not localisation.is_printable(text):
        raise PydanticCustomError("name", "Must not contain control characters or line ends.")
    return text.strip()


Locale = Annotated[str, AfterValidator(_locale), Field(max_length=35, examples=["de-DE"])]
TimeZone = Annotated[str, AfterValidator(_time_zone), Field(max_length=64, examples=["Europe/Berlin"])]
Currency = Annotated[str, AfterValidator(_currency), Field(examples=["EUR"])]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
DisplayName = Annotated[str, Field(max_length=200), AfterValidator(_name)]
