"""In which language, and under which name."""

import pytest

from services.notifications.domain.language import greeting_name, locale_of, one_line


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (("de-AT", "en-GB"), "de-AT"),
        (("fr-FR", "de-DE"), "de-DE"),
        ((None, "en"), "en"),
        (("fr", "it"), "en"),
        (("DE_de", None), "DE_de"),
        (("x" * 500, "de"), "de"),
        (("", None), "en"),
    ],
)
def test_the_first_language_that_we_speak(wanted: tuple[str | None, ...], found: str) -> None:
    assert locale_of(*wanted) == found


@pytest.mark.parametrize(
    "name",
    [
        "Ada\r\nBcc: all@example.org",
        "http://evil.example",
        "WWW.evil.example",
        "a@b.example",
        " ",
        None,
        "x" * 81,
        "evil.example",
        "evil.example/login",
        "evil\u3002example",
        "evil\uff0eexample",
        "Ada bit.ly Lovelace",
        "Ihr Konto wurde gesperrt",
        "Your account is blocked",
        "Ruf an: Ada",
        "Ruf 0190 123",
        "Gewonnen!",
        "Sofort Bitte Jetzt Gleich Hier",
        "\u00ad",
    ],
)
def test_a_name_that_is_none(name: str | None) -> None:
    assert greeting_name(name) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("  Ada\tLovelace ", "Ada Lovelace"),
        ("Jürgen", "Jürgen"),
        ("O'Neil & Söhne", "O'Neil & Söhne"),
        ("ada lovelace", "ada lovelace"),
        ("Ludwig van Beethoven", "Ludwig van Beethoven"),
        ("J.R.R. Tolkien",) * 2,
        ("Maria del Carmen García López",) * 2,
        ("Müller GmbH & Co. KG",) * 2,
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",) * 2,
        ("王小明",) * 2,
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 Ada",) * 2,
        ("Ada\u00a0Lovelace", "Ada Lovelace"),
        ("Donau\u00addampf", "Donaudampf"),
    ],
)
def test_a_name_is_shown_on_one_line(name: str, shown: str) -> None:
    assert greeting_name(name) == shown


def test_one_line_has_no_way_out_of_a_header() -> None:
    assert one_line("a\r\nb\x00c\u2028d\u202ee\x85f\vg") == "a b c d e f g"
