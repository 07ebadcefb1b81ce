"""Fields of a customer's profile."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from services.gateway.ingest import rules
from services.gateway.ingest.reception import Reception


def _email(text: str, info: ValidationInfo) -> str:
    at: Reception | None = info.context
    if rules.email(text) is None:
        raise PydanticCustomError("email", "Must be an e-mail address.")
    if at is not None and rules.email(text, at.smtputf8) is None:
        raise PydanticCustomError(
            "email_needs_smtputf8",
            "Must have ASCII letters alone before the @: the mail server of this installation takes no others.",
        )
    return text


def _name(text: str) -> str:
    if not rules.is_name(text):
        raise PydanticCustomError("name", "Must be 1 to 200 printable characters.")
    return text


def _phone(text: str) -> str:
    if rules.phone(text) is None:
        raise PydanticCustomError("phone", "Must be an international number, such as +49 30 123456.")
    return text


def _birthday(text: str, info: ValidationInfo) -> str:
    at: Reception | None = info.context
    if at is not None and rules.birthday(text, at.now.date()) is None:
        raise PydanticCustomError("birthday", "Must be a day in the past, such as 1990-12-31.")
    return text


Email = Annotated[
    str, AfterValidator(_email), Field(json_schema_extra={"format": "email"}, examples=["ada@example.org"])
]
Name = Annotated[str, AfterValidator(_name), Field(examples=["Ada Lovelace"])]
Phone = Annotated[str, AfterValidator(_phone), Field(examples=["+49 30 123456"])]
Birthday = Annotated[
    str, AfterValidator(_birthday), Field(json_schema_extra={"format": "date"}, examples=["1990-12-31"])
]
