"""Errors as answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import (
    ConflictError,
    ErrorKind,
    Fault,
    ForbiddenError,
    InvalidError,
    MalformedError,
    NotFoundError,
    RateLimitedError,
    TooLargeError,
    TreueError,
    UnauthenticatedError,
    UnavailableError,
)
from shared.http.errors import (
    HeadersTooLargeError,
    MethodNotAllowedError,
    PlacedFault,
    SlowRequestError,
    StatusError,
    UnsupportedMediaError,
)
from shared.http.problems import STATUSES, internal_problem, problem_response

FAULT = Fault("/b", "x", "y")


def rendered(error: TreueError) -> tuple[int, dict[bytes, bytes], dict[str, Any]]:
    status, headers, body = problem_response(error, "c-1")
    return status, dict(headers), json.loads(body)


def test_every_kind_of_error_has_a_status() -> None:
    assert set(STATUSES) == set(ErrorKind)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedError("x"), 400),
        (InvalidError("x"), 422),
        (UnauthenticatedError("x"), 401),
        (ForbiddenError("x"), 403),
        (NotFoundError("x"), 404),
        (ConflictError("x"), 409),
        (TooLargeError("x"), 413),
        (RateLimitedError("x"), 429),
        (UnavailableError("x"), 503),
        (MethodNotAllowedError("GET"), 405),
        (SlowRequestError("x"), 408),
        (UnsupportedMediaError("x"), 415),
        (HeadersTooLargeError("x"), 431),
        (StatusError(418, "x"), 418),
    ],
)
def test_an_error_becomes_a_whole_problem(error: TreueError, status: int) -> None:
    found, headers, body = rendered(error)
    assert found == body["status"] == status
    assert headers[b"content-type"] == b"application/problem+json"
    assert {"type", "title", "status", "code", "detail", "correlation_id"} <= set(body)
    assert body["type"] == f"urn:treue:problem:{error.code}"
    assert (b"www-authenticate" in headers) == (status == 401)
    assert (b"retry-after" in headers) == (status in (429, 503))
    assert (b"allow" in headers) == (status == 405)


def test_retry_after_is_whole_seconds_spread_beyond_what_was_asked() -> None:
    waits = {int(rendered(UnavailableError("x", retry_after_s=10))[1][b"retry-after"]) for _ in range(200)}
    assert waits <= set(range(10, 21))
    assert len(waits) > 5
    assert int(rendered(RateLimitedError("x", retry_after_s=0.01))[1][b"retry-after"]) == 1
    # Not only where HTTP asks for it: an event that nobody has seen yet may be there in a moment.
    assert b"retry-after" in rendered(NotFoundError("x", retry_after_s=1))[1]


def test_extra_members_never_hide_our_own() -> None:
    _, _, body = rendered(ConflictError("no", status="fine", available=3, type="x"))
    assert (body["status"], body["available"], body["type"]) == (409, 3, "urn:treue:problem:conflict")


def test_faults_say_where() -> None:
    faults = [Fault("/total", "decimal", "bad", "1e3"), PlacedFault("/limit", "int", "bad", 0), Fault("/a", "b", "c")]
    _, _, body = rendered(InvalidError("x", faults=faults))
    assert body["errors"] == [
        {"pointer": "/total", "rule": "decimal", "detail": "bad", "value": "1e3"},
        {"pointer": "/limit", "rule": "int", "detail": "bad", "value": 0, "in": "query"},
        {"pointer": "/a", "rule": "b", "detail": "c"},
    ]


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ([Fault("/total", "amount", "Bad.", "1e3")], 'No. /total is "1e3" and breaks the rule amount: Bad.'),
        ([Fault("/a", "required", "Bad."), FAULT], "No. /a breaks the rule required: Bad. 1 more in errors."),
        ([PlacedFault("/limit", "range", "Bad.", 0)], "No. /limit (query) is 0 and breaks the rule range: Bad."),
        ([Fault("", "type", "Bad.", 7)], "No. The body is 7 and breaks the rule type: Bad."),
        ([Fault("", "object", "No.")], "No."),
        ([], "No."),
    ],
)  # fmt: skip
def test_the_detail_tells_the_first_fault(faults: list[Fault], said: str) -> None:
    assert rendered(InvalidError("No.", faults=faults))[2]["detail"] == said


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.binary()
        | st.decimals()
        | st.datetimes(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_any_value_can_be_shown_and_stays_short(value: Any) -> None:
    _, _, body = rendered(InvalidError("x", faults=[Fault("/a", "rule", "detail", value)]))
    assert len(json.dumps(body["errors"][0].get("value", ""), ensure_ascii=False)) < 650


def test_a_failure_of_ours_says_nothing() -> None:
    status, _, body = internal_problem("c-1")
    assert status == 500
    assert json.loads(body)["correlation_id"] == "c-1"
