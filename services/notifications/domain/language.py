"""Which language a customer is written in, and under which name they are greeted."""

import re
import unicodedata
from typing import Final

LANGUAGES: Final = ("de", "en")
_DEFAULT: Final = "en"
_NAME_LENGTH_MAX: Final = 80
_WORDS_MAX: Final = 4
# Small words inside names, of which some are longer than others.
_PARTICLES: Final = frozenset({
    "von", "vom", "van", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "du", "des", "la", "le",
    "les", "el", "al", "bin", "bint", "ibn", "ben", "zu", "zum", "zur", "und", "and", "y", "e", "i", "af", "av", "auf",
    "ter", "ten", "te",
})  # fmt: skip
_NOT_IN_NAMES = re.compile(r"[@/\\:;!?<>|=\[\]{}\d]")
# A dot with letters before it and two letters or more behind: "J. R. R." and "Dr. Ada" are none.
_DOMAIN = re.compile(r"[^\W_][\w-]*[.\u3002\uff61][^\W\d_]{2,}")
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
    """A name to greet with; None where there is none, or where our mail would carry somebody's link or message: whoever
    signs a stranger up chooses the name. The profile keeps it as it was given."""
    shown = one_line((name or "").replace("\u00ad", ""))
    if not shown or len(shown) > _NAME_LENGTH_MAX or not _is_a_name(shown):
        return None
    return shown


def _is_a_name(text: str) -> bool:
    """Whether it may follow "Dear": no link or domain, no digits, no sentence. Capital letters tell names from words in
    scripts that have them."""
    if _NOT_IN_NAMES.search(text) or _DOMAIN.search(unicodedata.normalize("NFKC", text)):
        return False
    words = [word for word in text.split() if any(map(str.isalpha, word))]
    others = [word for word in words if word.lower() not in _PARTICLES]
    if len(others) > _WORDS_MAX:
        return False
    return len(words) <= 2 or not any(word.islower() for word in others)
