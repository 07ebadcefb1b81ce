"""Fields of the pydantic models: each names the rule that it breaks and says in words what would be right."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from services.gateway.ingest import rules
from services.gateway.ingest.reception import Reception
from shared.auth.principal import ME
from shared.localisation import is_currency
from shared.money import MINOR_MAX, exponent, to_text


def _refuse(rule: str, detail: str) -> PydanticCustomError:
    return PydanticCustomError(rule, detail)


def _id(text: str) -> str:
    if not rules.is_id(text):
        raise _refuse("id", "Must be 1 to 128 printable characters without spaces at its ends.")
    return text


def _customer_id(text: str) -> str:
    if "@" in text:
        raise _refuse(
            "looks_like_email",
            "Must not look like an e-mail address: ids travel in keys and logs. Use your own pseudonymous id.",
        )
    if text == ME:
        raise _refuse("reserved", "'me' means the holder of a customer's token; it is no customer's id.")
    if not rules.is_customer_id(text):
        raise _refuse("customer_id", "Must be 1 to 128 of A-Z a-z 0-9 . _ ~ + = | - and begin with a letter or digit.")
    return text


def _own_customer_id(text: str, info: ValidationInfo) -> str:
    """A customer's own token may say `me`."""
    at: Reception | None = info.context
    is_own = text == ME and at is not None and at.principal.customer is not None
    return text if is_own else _customer_id(text)


def _text(longest: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > longest:
            raise _refuse("too_long", f"Must have at most {longest} characters.")
        if not rules.is_text(text):
            raise _refuse("text", "Must not contain control characters.")
        return text

    return AfterValidator(check)


def _currency(code: str, info: ValidationInfo) -> str:
    at: Reception | None = info.context
    if not is_currency(code):
        raise _refuse("currency", "Must be an ISO 4217 code in capital letters, such as EUR.")
    if at is not None and code != at.currency:
        raise _refuse("currency_not_supported", f"This programme counts {at.currency}; there are no rates to convert.")
    return code


def _amount(given: Any, info: ValidationInfo) -> Any:
    return _money(given, info, signed=False)


def _signed_amount(given: Any, info: ValidationInfo) -> Any:
    return _money(given, info, signed=True)


def _money(given: Any, info: ValidationInfo, *, signed: bool) -> Any:
    at: Reception | None = info.context
    if isinstance(given, int | float) and not isinstance(given, bool):
        raise _refuse("amount_is_text", 'Money is a decimal string, such as "12.34": a JSON number may lose digits.')
    if not isinstance(given, str) or at is None:
        return given
    minor = rules.signed_minor if signed else rules.minor
    if minor(given, at.currency) is None:
        if rules.is_beyond_limit(given, at.currency):
            most = to_text(MINOR_MAX, at.currency)
            raise _refuse("amount_beyond_limit", f"Must be {most} {at.currency} at the most.")
        raise _refuse("amount", _amount_wanted(at.currency, "an amount" if signed else "an amount of 0 or more"))
    return given


def _amount_wanted(currency: str, what: str) -> str:
    digits = exponent(currency)
    decimals = f"at most {digits} decimals" if digits else "no decimals"
    example = f"12.{'345678'[:digits]}" if digits else "12"
    return f'Must be {what} with {decimals}, as {currency} has, such as "{example}".'


def _quantity(given: Any) -> Any:
    if isinstance(given, float):
        raise _refuse("quantity", 'A part of a unit is decimal text, such as "0.450": a JSON number may lose digits.')
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise _refuse("quantity", _QUANTITY)
    if rules.milli(given) is None:
        raise _refuse("quantity", _QUANTITY)
    return given


def _instant(text: str, info: ValidationInfo) -> str:
    at: Reception | None = info.context
    found = rules.instant(text)
    if found is None:
        raise _refuse("instant", "Must be an RFC 3339 instant, such as 2026-11-22T10:00:00+01:00.")
    if found.tzinfo is None:
        raise _refuse("offset", "Must say its offset: Z or +01:00.")
    if found < rules.EARLIEST:
        raise _refuse("too_early", f"Must not be before {rules.EARLIEST:%Y-%m-%d}.")
    if at is not None and found > at.latest:
        raise _refuse("in_the_future", "Must not be in the future.")
    return text


def _property(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > rules.INTEGER_MAX:
            raise _refuse("integer", "Must have at most 18 digits.")
        return value
    if isinstance(value, str) and len(value) <= rules.TEXT_MAX and rules.is_text(value):
        return value
    raise _refuse(
        "scalar", f"Must be text (at most {rules.TEXT_MAX}), an integer, a boolean or null; write 1.5 as text."
    )


def _property_key(key: str) -> str:
    if not 0 < len(key) <= rules.PROPERTY_KEY_MAX or not rules.is_id(key):
        raise _refuse("key", f"Must be 1 to {rules.PROPERTY_KEY_MAX} printable characters without spaces at its ends.")
    return key


def _activity_kind(text: str) -> str:
    if not rules.is_activity_kind(text):
        raise _refuse("kind", "Must be 1 to 64 of a-z 0-9 _ . - and begin with a letter or digit.")
    return text


_QUANTITY: Final = (
    f'Must be a whole number, or decimal text with three decimals at the most such as "0.450", more than 0 and'
    f" {rules.QUANTITY_MAX} at the most."
)
_ID_SCHEMA: Final = {"minLength": 1, "maxLength": rules.ID_MAX}

Id = Annotated[str, AfterValidator(_id), Field(json_schema_extra=dict(_ID_SCHEMA))]
OrderId = Annotated[str, AfterValidator(_id), Field(json_schema_extra=dict(_ID_SCHEMA), examples=["o-1001"])]
_CUSTOMER = Field(
    json_schema_extra={"pattern": f"^{rules.CUSTOMER_ID}$"},
    examples=["c-4711"],
    description="The shop's pseudonymous id of the customer; never an e-mail address.",
)
CustomerId = Annotated[str, AfterValidator(_customer_id), _CUSTOMER]
OwnCustomerId = Annotated[str, AfterValidator(_own_customer_id), _CUSTOMER]
Text = Annotated[str, _text(rules.TEXT_MAX), Field(json_schema_extra={"maxLength": rules.TEXT_MAX})]
Comment = Annotated[str, _text(rules.COMMENT_MAX), Field(json_schema_extra={"maxLength": rules.COMMENT_MAX})]
Currency = Annotated[
    str, AfterValidator(_currency), Field(json_schema_extra={"pattern": "^[A-Z]{3}$"}, examples=["EUR"])
]
Amount = Annotated[
    str,
    BeforeValidator(_amount),
    Field(json_schema_extra={"pattern": f"^{rules.AMOUNT}$"}, examples=["49.90"], description="A decimal string."),
]
SignedAmount = Annotated[
    str,
    BeforeValidator(_signed_amount),
    Field(
        json_schema_extra={"pattern": f"^{rules.SIGNED_AMOUNT}$"},
        examples=["19.95"],
        description="A decimal string; it may be below 0.",
    ),
]
Instant = Annotated[
    str,
    AfterValidator(_instant),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-15T10:00:00+01:00"]),
]
Quantity = Annotated[
    Any,
    BeforeValidator(_quantity),
    Field(
        json_schema_extra={
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": rules.QUANTITY_MAX},
                {"type": "string", "pattern": f"^{rules.QUANTITY}$"},
            ]
        },
        examples=[2, "0.450"],
        description="Whole units, or decimal text with three decimals at the most.",
    ),
]
PropertyKey = Annotated[str, AfterValidator(_property_key)]
PropertyValue = Annotated[
    Any, AfterValidator(_property), Field(json_schema_extra={"type": ["string", "integer", "boolean", "null"]})
]
Properties = Annotated[dict[PropertyKey, PropertyValue], Field(max_length=rules.PROPERTIES_MAX)]
ActivityKind = Annotated[
    str, AfterValidator(_activity_kind), Field(json_schema_extra={"pattern": f"^{rules.ACTIVITY_KIND}$"})
]
