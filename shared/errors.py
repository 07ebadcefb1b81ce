"""One taxonomy of failures, rendered twice: as an HTTP status (shared.http.problems) and as retry or dead letter
(shared.messaging.failures). Code raises these and never catches them in between.

    TreueError
      +-- InvalidError        422, dead letter: the input can never be right
      |     +-- MalformedError  400, dead letter: not even readable
      +-- UnauthenticatedError 401
      +-- ForbiddenError      403
      +-- NotFoundError       404
      +-- ConflictError       409: right in itself, wrong in this state
      +-- PreconditionFailedError 412: no longer what the caller has seen
      +-- TooLargeError       413
      +-- RateLimitedError    429, with Retry-After
      +-- UnavailableError    503, with Retry-After; retried for ever in a consumer
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar


class ErrorKind(Enum):
    """What kind of failure it is: the closed list that the renderings map."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION_FAILED = "precondition_failed"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"

    @property
    def retriable(self) -> bool:
        """Whether the same attempt may succeed later without anybody changing it."""
        return self in (ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input: where (JSON pointer, or a query's name), which rule, in words, and the
    value itself (shortened) where it helps."""

    pointer: str
    rule: str
    detail: str
    value: Any = None


class TreueError(Exception):
    """Base of all failures that have a meaning outside. `code` is stable: clients may switch on it."""

    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    code: str = "invalid"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        faults: Sequence[Fault] = (),
        retry_after_s: float | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.faults = tuple(faults)
        self.retry_after_s = retry_after_s
        self.extra = extra


class MalformedError(TreueError):
    """The bytes cannot be read at all."""

    kind = ErrorKind.MALFORMED
    code = "malformed"


class InvalidError(TreueError):
    """Readable, and never acceptable."""

    kind = ErrorKind.INVALID
    code = "invalid"


class UnauthenticatedError(TreueError):
    """No credential, or not a good one; never says which."""

    kind = ErrorKind.UNAUTHENTICATED
    code = "unauthenticated"


class ForbiddenError(TreueError):
    """A good credential that may not do this."""

    kind = ErrorKind.FORBIDDEN
    code = "forbidden"


class NotFoundError(TreueError):
    """It does not exist, or it belongs to somebody else: the answer is the same."""

    kind = ErrorKind.NOT_FOUND
    code = "not_found"


class ConflictError(TreueError):
    """Well formed, but the present state does not allow it."""

    kind = ErrorKind.CONFLICT
    code = "conflict"


class PreconditionFailedError(TreueError):
    """It is not, or no longer, what the caller has seen (If-Match, If-None-Match)."""

    kind = ErrorKind.PRECONDITION_FAILED
    code = "precondition_failed"


class TooLargeError(TreueError):
    """Beyond a limit on size."""

    kind = ErrorKind.TOO_LARGE
    code = "too_large"


class RateLimitedError(TreueError):
    """Too many, too fast; says when to come back."""

    kind = ErrorKind.RATE_LIMITED
    code = "rate_limited"


class UnavailableError(TreueError):
    """Something that we need is away: the outcome is unknown, and repeating is safe."""

    kind = ErrorKind.UNAVAILABLE
    code = "unavailable"
