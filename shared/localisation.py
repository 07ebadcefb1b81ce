"""Locales, time zones and currencies as the whole platform knows them: what one door takes, every other takes too."""

import re
from functools import cache, lru_cache
from typing import Final
from zoneinfo import available_timezones

from babel import Locale
from babel.core import UnknownLocaleError

from shared.money import exponent

# In the zone database, and no zones: whatever the machine is set to, and files for other programs.
_NO_ZONES: Final = frozenset({"localtime", "Factory", "posixrules"})
_NOT_BELOW: Final = ("posix/", "right/")
_NO_JOINERS: Final = dict.fromkeys(map(ord, "\u200c\u200d\u00ad\u00a0\u202f\u3000"))
_extension = re.compile(r"-[A-Za-z0-9](?:-|$).*").sub


@lru_cache(maxsize=1024)
def locale_of(text: str) -> str | None:
    """`de-DE` or `de_DE` -> `de-DE`; None for a language or region that CLDR does not know.

    Extensions say how to count days or sort, and are dropped: `en-US-u-ca-gregory` -> `en-US`.
    """
    try:
        return str(Locale.parse(_extension("", text.replace("_", "-")), sep="-")).replace("_", "-")
    except (ValueError, UnknownLocaleError):
        return None


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(name for name in available_timezones() - _NO_ZONES if not name.startswith(_NOT_BELOW))


def is_time_zone(text: str) -> bool:
    """Whether it is the IANA name of a time zone."""
    return text in _time_zones()


def is_currency(code: str) -> bool:
    """Whether ISO 4217 knows the code and its minor unit."""
    try:
        exponent(code)
    except KeyError:
        return False
    return True


def is_printable(text: str) -> bool:
    """Whether a name may hold it: no control characters and no line ends. Joiners write Persian names and family emoji,
    soft hyphens and spaces that do not break come from other systems; all of them are letters like others."""
    return text.translate(_NO_JOINERS).isprintable()
