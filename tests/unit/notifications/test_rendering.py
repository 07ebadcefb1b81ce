"""Every template in both languages, word for word: golden/*. `python -m tests.unit.notifications.golden_files` writes
them anew; read the difference before committing it."""

import re
from html.parser import HTMLParser

import pytest

from services.notifications.adapters.rendering import JinjaRenderer
from services.notifications.application.ports import RenderError
from services.notifications.domain.customer import Profile
from services.notifications.domain.message import Channel
from services.notifications.domain.templates import TEMPLATES
from tests.unit.notifications.golden_files import CASES, GOLDEN, rendered
from tests.unit.notifications.sample import SHOP, ada

RENDERER = JinjaRenderer()
FACTS = {
    "points": 1, "available": 1, "pending": 0, "debt": 0, "order_id": None, "active_from": None,
    "occurred_at": "2026-03-29T01:30:00+00:00",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_word_for_word(name: str) -> None:
    for ending, text in rendered(name).items():
        assert text == (GOLDEN / f"{name}.{ending}").read_text(), f"{name}.{ending}"


def test_every_template_has_its_case_in_both_languages() -> None:
    assert {(case.template, case.locale[:2]) for case in CASES.values()} >= {
        (template.name, language) for template in TEMPLATES for language in ("de", "en")
    }


def test_one_point_is_a_point() -> None:
    assert RENDERER.note("points_earned", FACTS, ada(), SHOP).text.endswith("1 Punkt")
    assert RENDERER.note("points_earned", FACTS, ada(locale="en"), SHOP).text.endswith("1 point")


def test_days_are_those_of_where_the_customer_is() -> None:
    late = FACTS | {"occurred_at": "2026-11-22T23:30:00+00:00"}
    assert "23. November 2026" in RENDERER.note("points_earned", late, ada(), SHOP).text
    assert "22. November 2026" in RENDERER.note("points_earned", late, ada(time_zone="America/New_York"), SHOP).text
    assert "23. November 2026" in RENDERER.note("points_earned", late, ada(time_zone="Mars/Base"), SHOP).text


def test_numbers_are_those_of_the_locale() -> None:
    many = FACTS | {"available": 1234567}
    assert "1.234.567 Punkte" in RENDERER.note("points_earned", many, ada(), SHOP).text
    assert "1\u2019234\u2019567 Punkte" in RENDERER.note("points_earned", many, ada(locale="de-CH"), SHOP).text
    assert "1,234,567 points" in RENDERER.note("points_earned", many, ada(locale="en-XX"), SHOP).text


def test_who_has_no_profile_yet_reads_the_programmes_language() -> None:
    assert RENDERER.note("points_earned", FACTS, Profile(), SHOP).locale == "de-DE"


@pytest.mark.parametrize("template", [each for each in TEMPLATES if Channel.EMAIL in each.channels])
@pytest.mark.parametrize("locale", ["de", "en"])
def test_nothing_that_a_shop_or_customer_wrote_becomes_markup(template: object, locale: str) -> None:
    bad = "<script>alert(1)</script>"
    profile = ada(name=bad, locale=locale)
    shop = SHOP.__class__(**{name: getattr(SHOP, name) for name in SHOP.__slots__} | {"name": bad})
    content = RENDERER.mail(template.name, FACTS | {"order_id": bad}, profile, shop)  # type: ignore[attr-defined]
    assert content.html is not None
    assert "<script" not in content.html
    assert "&lt;script&gt;" in content.html


def test_a_fact_that_is_missing_is_an_error() -> None:
    with pytest.raises(RenderError, match="points_earned"):
        RENDERER.mail("points_earned", {"points": 1}, ada(), SHOP)


def test_a_template_that_is_missing_is_an_error() -> None:
    with pytest.raises(RenderError):
        RENDERER.mail("feedback_thanks", FACTS, ada(), SHOP)


@pytest.mark.parametrize("name", CASES)
def test_a_service_message_promotes_nothing(name: str) -> None:
    told = " ".join(rendered(name).values())
    forbidden = (
        r"bewert|empfehl|jetzt kaufen|rabatt|gutschein|angebot|rate us|review us|recommend|discount|offer|shop now"
    )
    assert not re.search(forbidden, told, re.IGNORECASE)
    assert "http" not in told.replace("http-equiv", "")


@pytest.mark.parametrize("name", CASES)
def test_html_is_well_formed_and_says_its_language(name: str) -> None:
    html = rendered(name).get("html")
    if html is not None:
        checker = _Tags()
        checker.feed(html)
        assert checker.open == []
        assert f'<html lang="{CASES[name].locale[:2]}">' in html


class _Tags(HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
