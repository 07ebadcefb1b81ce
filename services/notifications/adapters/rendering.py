"""Makes words of facts: Jinja2 templates, one file per template, language and part; numbers and dates by Babel.

Sandboxed and strict: a template reaches nothing but its facts, and a fact that is missing is an error, not a gap.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notifications.application.ports import Content, RenderError
from services.notifications.domain.customer import Profile
from services.notifications.domain.day import local_day
from services.notifications.domain.language import greeting_name, language_of, locale_of, one_line
from services.notifications.domain.message import Facts
from services.notifications.domain.programme import Programme

_FOLDER: Final = Path(__file__).parent / "templates"
_POINTS: Final[Mapping[str, tuple[str, str]]] = {"de": ("Punkt", "Punkte"), "en": ("point", "points")}
_FAILURES = (TemplateError, TypeError, ValueError, KeyError, OverflowError)


class JinjaRenderer:
    """The port Renderer."""

    def __init__(self) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )

    def mail(self, template: str, facts: Facts, profile: Profile, programme: Programme) -> Content:
        """An e-mail: text and HTML, with salutation and footer."""
        locale = locale_of(profile.locale, programme.locale)
        words = _words(facts, profile, programme, locale)
        return Content(
            locale=locale,
            subject=one_line(self._part(template, locale, "subject", words)),
            text=self._part(template, locale, "txt", words).strip() + "\n",
            html=self._part(template, locale, "html", words).strip() + "\n",
        )

    def note(self, template: str, facts: Facts, profile: Profile, programme: Programme) -> Content:
        """For the inbox in the app: what the mail says, without salutation and footer."""
        locale = locale_of(profile.locale, programme.locale)
        words = _words(facts, profile, programme, locale)
        return Content(
            locale=locale,
            subject=one_line(self._part(template, locale, "subject", words)),
            text=self._part(template, locale, "txt", words, block="body").strip(),
        )

    def _part(self, template: str, locale: str, part: str, words: Mapping[str, Any], block: str | None = None) -> str:
        try:
            found = self._environment.get_template(f"{template}/{language_of(locale)}.{part}")
            if block is None:
                return found.render(words)
            return "".join(found.blocks[block](found.new_context(dict(words))))
        except _FAILURES as error:
            raise RenderError(f"{template}/{locale}.{part}: {type(error).__name__}: {error}") from error


def _words(facts: Facts, profile: Profile, programme: Programme, locale: str) -> dict[str, Any]:
    """What a template can use: the facts, who it is for, and how to say numbers and days where they live."""
    return {
        **facts,
        "name": greeting_name(profile.name),
        "programme": one_line(programme.name),
        "language": language_of(locale),
        "count_points": _counter(locale),
        "number": lambda count: _number(count, locale),
        "day": lambda instant: _day(instant, profile.time_zone, programme.time_zone, locale),
    }


def _counter(locale: str) -> Callable[[int], str]:
    one, many = _POINTS[language_of(locale)]
    return lambda count: f"{_number(count, locale)} {one if count == 1 else many}"


@lru_cache(maxsize=4096)
def _number(count: int, locale: str) -> str:
    return str(format_decimal(count, locale=_babel(locale)))


@lru_cache(maxsize=4096)
def _day(instant: str, own_zone: str | None, zone: str, locale: str) -> str:
    day = local_day(datetime.fromisoformat(instant), own_zone, zone)
    return str(format_date(day, format="long", locale=_babel(locale)))


@lru_cache(maxsize=256)
def _babel(locale: str) -> Locale:
    """`de-AT`, or plain `de` where Babel does not know the rest."""
    try:
        return Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(language_of(locale))
