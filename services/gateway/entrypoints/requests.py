"""What several routes read from a request's head."""

import re

from shared.errors import InvalidError
from shared.http.errors import PlacedFault
from shared.http.hot import HotRequest

_good_key = re.compile(r"[ -~]{1,255}").fullmatch


def idempotency_key(request: HotRequest) -> str | None:
    """The Idempotency-Key, if there is one. Raises InvalidError for one that is no printable ASCII of 1 to 255."""
    given = request.headers.get(b"idempotency-key")
    return None if given is None else checked_key(given.decode("latin-1"))


def checked_key(given: str | None) -> str | None:
    """The same of a header that was read already."""
    if given is not None and not _good_key(given):
        fault = PlacedFault("/idempotency-key", "key", "Must be 1 to 255 printable ASCII characters.", place="header")
        raise InvalidError("The Idempotency-Key is not acceptable.", faults=[fault])
    return given
