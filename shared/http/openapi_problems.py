"""The problems as the OpenAPI document shows them: one schema, one response a status, and where each can come."""

import json
from collections.abc import Iterator
from typing import Any, Final

from shared.errors import (
    ConflictError,
    Fault,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    TooLargeError,
    TreueError,
    UnauthenticatedError,
    UnavailableError,
)
from shared.http.errors import UnsupportedMediaError
from shared.http.problems import problem_response

Document = dict[str, Any]
_SCHEMAS: Final = "#/components/schemas/"
_RESPONSES: Final = "#/components/responses/"
_METHODS: Final = ("get", "put", "post", "delete", "patch")
_FAULT: Final[Document] = {
    "type": "object",
    "required": ["pointer", "rule", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "Where: a JSON pointer, or `/name` of a parameter."},
        "rule": {"type": "string", "description": "The rule that was broken; stable."},
        "detail": {"type": "string"},
        "value": {"description": "What stood there, shortened."},
        "in": {"type": "string", "enum": ["query", "path", "header"], "description": "Left out for the body."},
    },
}
_PROBLEM: Final[Document] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:treue:problem:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; switch on this.", "examples": ["invalid"]},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": _SCHEMAS + "Fault"}},
        "correlation_id": {"type": "string", "description": "Quote it when you ask us."},
    },
}
_ANY: Final[Document] = {
    "description": "Every error is a problem (RFC 9457).",
    "content": {"application/problem+json": {"schema": {"$ref": _SCHEMAS + "Problem"}}},
}
# By status: the name of the response, what it means, and an error that is answered so.
_KNOWN: Final[dict[int, tuple[str, str, TreueError]]] = {
    401: (
        "Unauthenticated",
        "No credential, or one that is not valid.",
        UnauthenticatedError("The credential is not valid."),
    ),
    403: (
        "Forbidden",
        "The credential is good, but not for this.",
        ForbiddenError("This needs the scope events:write.", required_scope="events:write"),
    ),
    404: (
        "NotFound",
        "There is no such thing, or not for this caller.",
        NotFoundError("There is no such customer.", code="customer_not_found"),
    ),
    409: (
        "Conflict",
        "It contradicts what is there already.",
        ConflictError("There is a tenant of this name.", code="tenant_exists"),
    ),
    413: (
        "TooLarge",
        "The body is too large.",
        TooLargeError("The body is larger than 1048576 bytes.", limit_bytes=1_048_576),
    ),
    415: (
        "UnsupportedMediaType",
        "The body is no JSON by its type.",
        UnsupportedMediaError("The body must be application/json."),
    ),
    422: (
        "Invalid",
        "It can be read, but not accepted; all faults are named at once.",
        InvalidError(
            "The body is not acceptable.",
            faults=[Fault("/occurred_at", "offset", "Must say its offset: Z or +01:00.", "2026-01-15T10:00:00")],
        ),
    ),
    429: (
        "RateLimited",
        "Too much at once; the same again after Retry-After.",
        RateLimitedError("Too many events of this credential at once.", retry_after_s=1.0),
    ),
    503: (
        "Unavailable",
        "Something is away, and the outcome unknown; the same request again after Retry-After is safe.",
        UnavailableError(
            "The points service does not answer; repeating the same request is safe.", code="service_unavailable"
        ),
    ),
}
# What every service says in the same words: names of components.
COMMON: Final = frozenset({"Problem", "Fault"} | {name for name, _, _ in _KNOWN.values()})


def add_problems(document: Document) -> None:
    """Put them into a document, and to each operation those that its shape makes possible."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update(Problem=_PROBLEM, Fault=_FAULT)
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["responses"] = components.get("responses", {}) | {
        name: _response(status, about, error) for status, (name, about, error) in _KNOWN.items()
    }
    for path, operations in document.get("paths", {}).items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                if operation["responses"].get("422", {}).get("description") == "Validation Error":
                    del operation["responses"]["422"]  # FastAPI's own form, which we never answer
                add_statuses(operation, *_possible(path, operation))


def add_statuses(operation: Document, *statuses: int) -> None:
    """Tell that an operation may answer these problems."""
    answers = operation["responses"]
    answers.pop("default", None)
    for status in statuses:
        answers.setdefault(str(status), {"$ref": _RESPONSES + _KNOWN[status][0]})
    operation["responses"] = dict(sorted(answers.items())) | {"default": _ANY}


def _possible(path: str, operation: Document) -> Iterator[int]:
    if operation.get("security"):
        yield from (401, 403)
    if "{" in path:
        yield 404
    if "requestBody" in operation:
        yield from (413, 415)
    yield 422  # if only for a parameter in the query that it does not have
    yield 503


def _response(status: int, about: str, error: TreueError) -> Document:
    _, _, body = problem_response(error, "01a2021cc5767755")
    found: Document = {
        "description": about,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": _SCHEMAS + "Problem"},
                "examples": {"typical": {"value": json.loads(body)}},
            }
        },
    }
    if status in (429, 503):
        found["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer"}}
        }
    return found
