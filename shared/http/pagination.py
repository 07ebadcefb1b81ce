"""Lists in pages: `?limit=50&cursor=...` gives `{items, next}`; `next` is the cursor of the following page, or null.

A cursor is opaque to the caller. It is not secret and gives no right: it only says where to go on inside what the
caller may see anyway, so that it is validated, not signed.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from fastapi import Query
from pydantic import BaseModel

from shared.errors import InvalidError
from shared.http.errors import PlacedFault

LIMIT_MAX: Final = 500
LIMIT_DEFAULT: Final = 50
_CURSOR_MAX = 512
_VERSION = b"1"

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_MAX, description="`next` of the page before.")]


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = None


def encode_cursor(position: dict[str, Any]) -> str:
    """A cursor for a position: a small dictionary of JSON values (ids and times as text)."""
    return urlsafe_b64encode(_VERSION + msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(text: str | None) -> dict[str, Any]:
    """The position; empty for no cursor. Raises InvalidError, pointing at `/cursor`, for what we did not make."""
    if text is None:
        return {}
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        position = msgspec.json.decode(raw.removeprefix(_VERSION), type=dict[str, Any])
    except (ValueError, binascii.Error, RecursionError, msgspec.DecodeError) as error:
        raise bad_cursor() from error
    # One position has one cursor: base64 would let unused bits pass.
    if encode_cursor(position) != text:
        raise bad_cursor()
    return position


def bad_cursor() -> InvalidError:
    """What to say of a cursor that is not ours, also where its content makes no sense."""
    fault = PlacedFault("/cursor", "cursor", "This is not a cursor that we gave.")
    return InvalidError("The cursor is not valid.", faults=[fault])
