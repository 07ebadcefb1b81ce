"""What makes an id, an amount, an instant acceptable. The fast reader and the strict one ask here and nowhere else."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

import msgspec
from email_validator import EmailNotValidError, validate_email

from shared.auth.principal import ME
from shared.localisation import is_printable
from shared.money import AmountBeyondLimitError, to_minor

ID_MAX: Final = 128
TEXT_MAX: Final = 500
COMMENT_MAX: Final = 5_000
NAME_MAX: Final = 200
LINES_MAX: Final = 200
QUANTITY_MAX: Final = 100_000
COUPONS_MAX: Final = 20
PROPERTIES_MAX: Final = 50
PROPERTY_KEY_MAX: Final = 64
CONSENTS_MAX: Final = 50
INTEGER_MAX: Final = 10**18 - 1
CUSTOMER_ID: Final = r"[A-Za-z0-9][A-Za-z0-9._~+=|-]{0,127}"
ACTIVITY_KIND: Final = r"[a-z0-9][a-z0-9_.-]{0,63}"
AMOUNT: Final = r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,6})?"
SIGNED_AMOUNT: Final = f"-?{AMOUNT}"
QUANTITY: Final = r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,6})?"
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_BIRTHDAY_EARLIEST = date(1900, 1, 1)

_customer_id = re.compile(CUSTOMER_ID).fullmatch
_activity_kind = re.compile(ACTIVITY_KIND).fullmatch
_amount = re.compile(AMOUNT).fullmatch
_signed_amount = re.compile(SIGNED_AMOUNT).fullmatch
_quantity = re.compile(QUANTITY).fullmatch
_iso_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_phone = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_phone_separators = re.compile(r"[ ./()-]")
# Text may have lines and tabs; a mail or a database has no use for the other control characters.
_control = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search
_instant = msgspec.json.Decoder(datetime)


def is_id(text: str) -> bool:
    """1 to 128 printable characters, none of them a space at either end."""
    return 0 < len(text) <= ID_MAX and text.isprintable() and text[0] != " " != text[-1]


def is_customer_id(text: str) -> bool:
    """An id that can stand in keys, paths and headers, and is nobody's address."""
    return _customer_id(text) is not None and text != ME


def is_text(text: str) -> bool:
    """Text without control characters besides line ends and tabs."""
    return _control(text) is None


def is_activity_kind(text: str) -> bool:
    """The shop's own word for what happened, such as `app_downloaded`."""
    return _activity_kind(text) is not None


@lru_cache(maxsize=8192)
def minor(amount: str, currency: str) -> int | None:
    """An amount of 0 or more in minor units; None when it is none, or has more digits than the currency.

    Remembered because a shop has few different prices: 0.1 us instead of 1 us an amount.
    """
    try:
        return to_minor(amount, currency) if _amount(amount) else None
    except ValueError:
        return None


@lru_cache(maxsize=8192)
def signed_minor(amount: str, currency: str) -> int | None:
    """The same for a price, which a void, a voucher or a returned deposit has below 0."""
    try:
        return to_minor(amount, currency) if _signed_amount(amount) else None
    except ValueError:
        return None


def is_beyond_limit(amount: str, currency: str) -> bool:
    """Whether it is an amount, and only too large."""
    try:
        to_minor(amount, currency)
    except AmountBeyondLimitError:
        return True
    except ValueError:
        pass
    return False


def milli(quantity: int | str) -> int | None:
    """A quantity in thousandths, `"0.450"` -> 450; None when it is none, or has more than three decimals."""
    if quantity.__class__ is int:
        return quantity * 1000 if 0 < quantity <= QUANTITY_MAX else None
    return _milli(quantity) if isinstance(quantity, str) else None


@lru_cache(maxsize=4096)
def _milli(quantity: str) -> int | None:
    if not _quantity(quantity):
        return None
    whole, _, decimals = quantity.partition(".")
    decimals = decimals[:3] + decimals[3:].rstrip("0")
    found = int(whole) * 1000 + int(decimals.ljust(3, "0"))
    return found if len(decimals) <= 3 and 0 < found <= QUANTITY_MAX * 1000 else None


def instant(text: str) -> datetime | None:
    """An RFC 3339 instant, by the reader that the fast way uses; naive ones too."""
    try:
        return _instant.decode(msgspec.json.encode(text))
    except (msgspec.MsgspecError, UnicodeError):
        return None


def birthday(text: str, today: date) -> date | None:
    """A day on which somebody alive may have been born."""
    try:
        day = date.fromisoformat(text) if _iso_date(text) else None
    except ValueError:
        return None
    return day if day is not None and _BIRTHDAY_EARLIEST <= day < today else None


@lru_cache(maxsize=1024)
def email(text: str, smtputf8: bool = True) -> str | None:
    """An address in its normal form; nobody is asked whether it exists. `smtputf8`: letters other than ASCII may stand
    before the @, which a mail server takes only if it has that extension."""
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=smtputf8).normalized
    except EmailNotValidError:
        return None


def is_name(text: str) -> bool:
    """What somebody is called."""
    return 0 < len(text) <= NAME_MAX and not text.isspace() and is_printable(text)


def phone(text: str) -> str | None:
    """`+49 (30) 123-456` -> `+4930123456`."""
    digits = _phone_separators.sub("", text)
    return digits if _phone(digits) else None
