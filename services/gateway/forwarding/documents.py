"""One OpenAPI document of the platform: the gateway's own paths, and what the services say of those it forwards."""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

import msgspec

from services.gateway.forwarding.upstream import SERVICES, Question, Service, Upstreams
from shared.errors import UnavailableError
from shared.http.openapi_problems import COMMON
from shared.observability.logging import get_logger

_log = get_logger(__name__)
Document = dict[str, Any]
# Tells whether (method, path) is forwarded.
IsForwarded = Callable[[str, str], bool]

_KEPT_S: Final = 60.0
_MISSING_KEPT_S: Final = 3.0
_TIMEOUT_S: Final = 3.0
_REF: Final = "#/components/"
ANSWERED_BY: Final = "x-answered-by"
"""Of an operation whose question the gateway reads itself: the service that answers, and describes the answer."""


class Documents:
    """The services' documents, fetched when somebody asks and kept for a minute."""

    def __init__(self, upstreams: Upstreams, is_forwarded: IsForwarded, finish: Callable[[Document], Document]) -> None:
        self._upstreams, self._is_forwarded, self._finish = upstreams, is_forwarded, finish
        self._theirs: dict[Service, Document] = {}
        self._merged: Document | None = None
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def merge(self, own: Document) -> Document:
        """The whole document; a service that is away is described as it last described itself."""
        async with self._lock:
            if self._merged is None or monotonic() >= self._until:
                found = await asyncio.gather(*(self._fetch(service) for service in SERVICES))
                self._merged = self._finish(merged(own, self._theirs, self._is_forwarded))
                self._until = monotonic() + (_KEPT_S if all(found) else _MISSING_KEPT_S)
            return self._merged

    async def _fetch(self, service: Service) -> bool:
        question = Question("GET", b"/openapi.json", [], timeout_s=_TIMEOUT_S)
        try:
            reply = await self._upstreams[service].ask(question)
            if reply.status != 200:
                return False
            self._theirs[service] = msgspec.json.decode(reply.body, type=dict[str, Any])
        except (UnavailableError, msgspec.MsgspecError) as error:
            _log.warning("document_not_fetched", upstream=service, error=str(error))
            return False
        return True


def merged(own: Document, theirs: Mapping[Service, Document], is_forwarded: IsForwarded) -> Document:
    """Our document with their forwarded paths, and their components under names of their own."""
    whole: Document = msgspec.json.decode(msgspec.json.encode(own))
    components = whole.setdefault("components", {})
    for service, document in theirs.items():
        for path, operations in document.get("paths", {}).items():
            _add_path(whole["paths"], path, operations, service, is_forwarded)
        for section, entries in document.get("components", {}).items():
            if section == "securitySchemes":
                continue  # one credential opens all: it is described once
            place = components.setdefault(section, {})
            for name, entry in entries.items():
                place.setdefault(_renamed(service, name), _with_renamed(entry, service))
    return whole


def _add_path(paths: Document, path: str, operations: Document, service: Service, is_forwarded: IsForwarded) -> None:
    for method, operation in operations.items():
        if method == "parameters":
            continue
        if not path.startswith("/v1/") or not is_forwarded(method.upper(), path):
            continue
        described = _with_renamed(operation, service)
        ours = paths.get(path, {}).get(method)
        if ours is not None:
            if ours.get(ANSWERED_BY) == service:
                ours["responses"] |= described["responses"]
            continue
        described["operationId"] = f"{service}_{operation.get('operationId', f'{method}_{path}')}"
        described.setdefault("tags", [service])
        paths.setdefault(path, {})[method] = described


def _renamed(service: Service, name: str) -> str:
    return name if name in COMMON else f"{service}.{name}"


def _with_renamed(node: Any, service: Service) -> Any:
    if isinstance(node, list):
        return [_with_renamed(item, service) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _renamed_ref(value, service) if key == "$ref" and isinstance(value, str) else _with_renamed(value, service)
        for key, value in node.items()
    }


def _renamed_ref(ref: str, service: Service) -> str:
    if not ref.startswith(_REF):
        return ref
    section, _, name = ref.removeprefix(_REF).partition("/")
    return f"{_REF}{section}/{_renamed(service, name)}"
