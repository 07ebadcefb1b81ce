"""The one place where an error becomes an answer: RFC 9457 `application/problem+json`.

    {type, title, status, code, detail, errors?: [{pointer, rule, detail, value?, in?}], correlation_id, ...}

`code` is stable, clients may switch on it. Works without FastAPI, so that hot routes answer in the same words.
"""

import random
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from shared.errors import ErrorKind, Fault, TreueError
from shared.http.errors import HttpError, PlacedFault

STATUSES: Final[Mapping[ErrorKind, int]] = {
    ErrorKind.MALFORMED: 400,
    ErrorKind.INVALID: 422,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.PRECONDITION_FAILED: 412,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.UNAVAILABLE: 503,
}
CONTENT_TYPE: Final = b"application/problem+json"
INTERNAL_CODE: Final = "internal"
_RETRY_AFTER_S = 2.0
_VALUE_MAX = 100
_OWN_MEMBERS = frozenset({"type", "title", "status", "code", "detail", "errors", "correlation_id"})
_TITLES = {422: "Unprocessable Content", 413: "Content Too Large"}  # named otherwise before Python 3.13

Headers = list[tuple[bytes, bytes]]
_encode = msgspec.json.Encoder().encode


def problem_response(error: TreueError, correlation_id: str = "") -> tuple[int, Headers, bytes]:
    """The status, headers and body that tell of `error`."""
    status = status_of(error)
    body = _problem(status, error.code, _detail(error))
    if error.faults:
        body["errors"] = [_fault(fault) for fault in error.faults]
    if correlation_id:
        body["correlation_id"] = correlation_id
    body.update((name, value) for name, value in error.extra.items() if name not in _OWN_MEMBERS)
    return status, _headers(status, error), _encode(body)


def internal_problem(correlation_id: str = "") -> tuple[int, Headers, bytes]:
    """The answer to a failure of our own: it tells nothing but where to look."""
    body = _problem(500, INTERNAL_CODE, "Something went wrong here. It has been logged under the correlation id.")
    return 500, [(b"content-type", CONTENT_TYPE)], _encode(body | {"correlation_id": correlation_id})


def status_of(error: TreueError) -> int:
    """The HTTP status of an error."""
    return error.status if isinstance(error, HttpError) else STATUSES[error.kind]


def _problem(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"urn:treue:problem:{code}",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }


def _headers(status: int, error: TreueError) -> Headers:
    headers: Headers = [(b"content-type", CONTENT_TYPE)]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="treue"'))
    if status in (429, 503) or error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % _retry_after_s(error)))
    if isinstance(error, HttpError):
        headers += error.headers()
    return headers


def _retry_after_s(error: TreueError) -> int:
    """Whole seconds, up to twice what was asked for: clients that failed together shall not come back together."""
    wanted = _RETRY_AFTER_S if error.retry_after_s is None else error.retry_after_s
    return max(1, round(wanted * random.uniform(1.0, 2.0)))  # noqa: S311 - spreads load, hides nothing


def _detail(error: TreueError) -> str:
    """What is wrong, and of faults the first one: whoever reads a log line alone shall know what to mend."""
    if not error.faults or error.faults[0].detail == error.detail:
        return error.detail
    first, more = error.faults[0], len(error.faults) - 1
    besides = f" {more} more in errors." if more else ""
    return f"{error.detail} {_told(first)}{besides}"


def _told(fault: Fault) -> str:
    """A fault as a sentence: field, value, rule, and what would be right."""
    place = fault.place if isinstance(fault, PlacedFault) else "body"
    field = f"{fault.pointer} ({place})" if fault.pointer and place != "body" else fault.pointer or f"The {place}"
    value = "" if fault.value is None else f" is {_encode(_shown(fault.value)).decode()} and"
    return f"{field}{value} breaks the rule {fault.rule}: {fault.detail}"


def _fault(fault: Fault) -> dict[str, Any]:
    found: dict[str, Any] = {"pointer": fault.pointer, "rule": fault.rule, "detail": fault.detail}
    if fault.value is not None:
        found["value"] = _shown(fault.value)
    if isinstance(fault, PlacedFault):
        found["in"] = fault.place
    return found


def _shown(value: object) -> object:
    """A value as the answer may repeat it: short, and always valid JSON."""
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**18):
        return value
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _VALUE_MAX else text[: _VALUE_MAX - 1] + "…"
