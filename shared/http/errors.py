"""What is wrong with a request as such, before it means anything. Only HTTP has these, so shared.errors does not."""

from dataclasses import dataclass
from typing import Any, ClassVar

from shared.errors import Fault, TreueError


@dataclass(frozen=True, slots=True)
class PlacedFault(Fault):
    """A fault outside the body: `place` is query, path or header."""

    place: str = "query"


class HttpError(TreueError):
    """Base of them; each has its own status."""

    status: ClassVar[int] = 400
    code = "bad_request"

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What the answer says beside its body."""
        return []


class MethodNotAllowedError(HttpError):
    """The path is ours, the method is not for it."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This path answers {allowed}.")
        self._allowed = allowed

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"allow", self._allowed.encode())]


class SlowRequestError(HttpError):
    """The body did not arrive in time."""

    status = 408
    code = "request_timeout"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"connection", b"close")]


class UnsupportedMediaError(HttpError):
    """The body is of a type, or in a coding, that we do not read."""

    status = 415
    code = "unsupported_media_type"


class HeadersTooLargeError(HttpError):
    """More headers than any honest client sends."""

    status = 431
    code = "headers_too_large"


class StatusError(HttpError):
    """Any other status that a library below us asks for."""

    def __init__(self, status: int, detail: str, **extra: Any) -> None:
        super().__init__(detail, code=f"http_{status}", **extra)
        self.status = status  # type: ignore[misc]  # the one error whose status is not its class's


class ClientGoneError(Exception):
    """The client left before it was answered: there is nobody to tell."""
