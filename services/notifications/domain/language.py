"""Which language a customer is written in, and under which name they are greeted."""

import re
from typing import Final

LANGUAGES: Final = ("de", "en")
_DEFAULT: Final = "en"
_NAME_LENGTH_MAX: Final = 80
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\s]+")


def locale_of(*wanted: str | None) -> str:
    """The first of these locales whose language we speak, as it was given (`de-AT` stays `de-AT`), else English."""
    return next((tag for tag in wanted if tag and language_of(tag) in LANGUAGES), _DEFAULT)


def language_of(tag: str) -> str:
    """`de-AT` -> `de`."""
    return tag.replace("_", "-").partition("-")[0].lower()


def one_line(text: str) -> str:
    """Text as it may stand in a header: line breaks, control characters and marks of direction become a space."""
    return _INVISIBLE.sub(" ", text).strip()


def greeting_name(name: str | None) -> str | None:
    """A name to greet with; None where there is none, or where it would make our mail carry somebody's link."""
    shown = one_line(name or "")
    if not shown or len(shown) > _NAME_LENGTH_MAX or re.search(r"://|www\.|@", shown, re.IGNORECASE):
        return None
    return shown
