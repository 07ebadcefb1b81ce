"""The last hand on the merged document: examples of the day, who may do what, and the problems that only the gateway
knows of."""

from collections.abc import Callable
from typing import Any, Final

from services.gateway.entrypoints.answers import answer_examples
from services.gateway.entrypoints.examples import request_examples
from services.gateway.entrypoints.scopes import add_needs
from shared.clock import Clock
from shared.http.openapi_problems import add_statuses

Document = dict[str, Any]
# What the shape of a route does not tell.
_MORE: Final[dict[tuple[str, str], tuple[int, ...]]] = {
    ("post", "/v1/keys"): (404, 409),
    ("post", "/v1/tenants"): (409,),
    ("put", "/v1/tenants/{tenant}/limit"): (404,),
    ("get", "/v1/programme"): (404,),
    ("put", "/v1/programme"): (409,),
    ("post", "/v1/quotes"): (404,),
    ("post", "/v1/feedback"): (404,),
    ("post", "/v1/activities"): (404,),
}
# Rare questions, which nobody counts.
_UNMETERED: Final = ("/v1/keys", "/v1/tenants", "/v1/customer-tokens")


def finisher(clock: Clock) -> Callable[[Document], Document]:
    """Finishes documents as of the day on which that is done."""

    def finish(document: Document) -> Document:
        now = clock.now()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if path.startswith("/v1/"):
                    metered = () if path.startswith(_UNMETERED) else (429,)
                    add_statuses(operation, *metered, *_MORE.get((method, path), ()))
        add_needs(document)
        for (method, path), value in request_examples(now).items():
            _show(document, method, path, value)
        for (method, path, status), value in answer_examples(now).items():
            _show(document, method, path, value, status)
        return document

    return finish


def _show(document: Document, method: str, path: str, value: Any, status: str | None = None) -> None:
    """Put an example beside a body or an answer, if the document has it: a service may be away."""
    operation = document["paths"].get(path, {}).get(method, {})
    part = operation.get("requestBody", {}) if status is None else operation.get("responses", {}).get(status, {})
    content = part.get("content", {}).get("application/json")
    if content is not None:
        content["examples"] = {"typical": {"value": value}}
