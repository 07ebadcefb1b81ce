"""Money: decimal strings outside, integer minor units with an ISO 4217 currency inside. Never a float."""

import re
from decimal import Decimal
from functools import cache

from iso4217 import Currency

MINOR_MAX = 10**12  # beyond every real basket; nine million of them on one day still fit into int64
_PLAIN = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")


class AmountBeyondLimitError(ValueError):
    """More than is counted in one event."""


@cache
def exponent(currency: str) -> int:
    """Digits after the point of a currency: EUR 2, JPY 0, KWD 3.

    Raises KeyError for a code that ISO 4217 does not know or that has no minor unit (gold, test codes).
    """
    try:
        digits = Currency(currency).exponent
    except ValueError:
        raise KeyError(currency) from None
    if digits is None:
        raise KeyError(currency)
    return int(digits)


def to_minor(amount: str, currency: str) -> int:
    """`"12.34"`, EUR -> 1234; `"12.3400"` too, as some shops write it. A currency without minor units has no digits
    after the point at all: in yen, `"58.00"` was meant to be 5800 too often.

    Raises AmountBeyondLimitError for more than MINOR_MAX; ValueError for an amount with more digits than the currency
    has, and for anything but plain digits; KeyError for a currency that is none.
    """
    digits = exponent(currency)
    plain = _PLAIN.fullmatch(amount)
    decimals = (plain[3] or "") if plain else ""
    if digits:
        decimals = decimals[:digits] + decimals[digits:].rstrip("0")
    if plain is None or len(decimals) > digits:
        raise ValueError(f"{amount!r} is not an amount in {currency} ({digits} digits after the point)")
    minor = int(plain[2] + decimals.ljust(digits, "0"))
    if minor > MINOR_MAX:
        raise AmountBeyondLimitError(f"{amount} is more than {to_text(MINOR_MAX, currency)} {currency}")
    return -minor if plain[1] else minor


def to_decimal(minor: int, currency: str) -> Decimal:
    """1234, EUR -> Decimal("12.34")."""
    return Decimal(minor).scaleb(-exponent(currency))


def to_text(minor: int, currency: str) -> str:
    """1234, EUR -> "12.34": the form that goes out over HTTP."""
    return f"{to_decimal(minor, currency):f}"
