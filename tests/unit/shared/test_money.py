"""Money goes in and out as text and is counted in minor units; nothing odd gets in."""

import re
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from iso4217 import Currency

from shared.money import MINOR_MAX, exponent, to_decimal, to_minor, to_text

CURRENCIES = sorted(one.code for one in Currency if one.exponent is not None)
MINOR = st.integers(-MINOR_MAX, MINOR_MAX)


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("HUF", 2)])
def test_each_currency_has_its_own_digits(currency: str, digits: int) -> None:
    assert exponent(currency) == digits
    assert to_text(10**digits, currency) == str(Decimal(1).quantize(Decimal(1).scaleb(-digits)))


@pytest.mark.parametrize(
    "code", ["eur", "Euro", "", " EUR", "EUR ", "978", "BTC", "XAU", "XXX", "XTS", "\x00", "\u0415UR"]
)
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(KeyError):
        exponent(code)
    with pytest.raises(KeyError):
        to_minor("1", code)


@given(MINOR, st.sampled_from(CURRENCIES))
def test_there_and_back(minor: int, currency: str) -> None:
    assert to_minor(to_text(minor, currency), currency) == minor
    assert to_decimal(minor, currency) * 10 ** exponent(currency) == minor


@given(MINOR, st.sampled_from(CURRENCIES))
def test_text_has_exactly_the_digits_of_the_currency(minor: int, currency: str) -> None:
    digits = exponent(currency)
    assert re.fullmatch(rf"-?[0-9]+\.[0-9]{{{digits}}}" if digits else r"-?[0-9]+", to_text(minor, currency))


@given(st.decimals(0, 10**6, places=1), st.sampled_from(CURRENCIES))
def test_fewer_digits_than_the_currency_has_are_fine(amount: Decimal, currency: str) -> None:
    assume(exponent(currency))
    assert to_minor(f"{amount:f}", currency) == amount * 10 ** exponent(currency)


ODD = [
    *("", "-", ".", "1.", ".5", "+1", "--1", " 1", "1 ", "1\n", "01", "1_0", "1,0", "1e3", "1E3", "NaN", "inf", "0x1"),
    *("1.234", "1.2.3", "1.-2", "\u0661", "1.\u0665", "\u00b2", "1.\u00b2", "1\u00a0000", "1\x00", "9" * 5000, "€1"),
]


@pytest.mark.parametrize("amount", ODD)
def test_odd_amounts_are_refused(amount: str) -> None:
    with pytest.raises(ValueError, match=r"amount|more than|digits"):
        to_minor(amount, "EUR")


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_a_value_error(amount: str) -> None:
    try:
        minor = to_minor(amount, "EUR")
    except ValueError:
        return
    assert Decimal(amount) * 100 == minor


def test_the_limit_is_inclusive() -> None:
    assert to_minor(to_text(MINOR_MAX, "EUR"), "EUR") == MINOR_MAX
    for amount in (to_text(MINOR_MAX + 1, "EUR"), to_text(-MINOR_MAX - 1, "EUR")):
        with pytest.raises(ValueError, match="more than"):
            to_minor(amount, "EUR")


def test_a_digit_too_many_is_never_rounded_away() -> None:
    with pytest.raises(ValueError, match="2 digits"):
        to_minor("1.001", "EUR")
    with pytest.raises(ValueError, match="0 digits"):
        to_minor("100.0", "JPY")
