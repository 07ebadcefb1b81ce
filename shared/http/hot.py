"""Raw ASGI handlers for the few routes that decide the throughput. They answer before FastAPI's router is asked, and
still have correlation ids, metrics and problems, since the application does those for both."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope

from shared.errors import InvalidError, NotFoundError
from shared.http.body import BODY_MAX_BYTES, BODY_TIMEOUT_S, read_body
from shared.http.errors import PlacedFault

QUERY_MAX_BYTES: Final = 4096
JSON_HEADERS: Final = ((b"content-type", b"application/json"),)
_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")

Query = Mapping[str, Sequence[str]]


class HotResponse(msgspec.Struct, frozen=True):
    """An answer: JSON unless `headers` say otherwise."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = JSON_HEADERS


class HotRequest:
    """What a hot handler sees of a request; nothing is parsed before it is asked for."""

    __slots__ = ("_receive", "correlation_id", "headers", "method", "params", "path", "scope")

    def __init__(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], params: dict[str, str], correlation_id: str
    ) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.params = params
        self.headers = headers
        self.correlation_id = correlation_id
        self._receive = receive

    def header(self, name: bytes) -> bytes | None:
        """A header by its lower-case name."""
        return self.headers.get(name)

    @property
    def query(self) -> Query:
        """The query, decoded. Raises InvalidError when it is not UTF-8 or too long."""
        raw: bytes = self.scope["query_string"]
        return parse_query(raw) if raw else {}

    async def body(
        self,
        limit_bytes: int = BODY_MAX_BYTES,
        timeout_s: float = BODY_TIMEOUT_S,
        content_type: bytes | None = b"application/json",
    ) -> bytes:
        """The whole body, within bounds (see shared.http.body.read_body)."""
        return await read_body(self._receive, self.headers, limit_bytes, timeout_s, content_type)


HotHandler = Callable[[HotRequest], Awaitable[HotResponse]]
HotRoutes = Mapping[tuple[str, str], HotHandler]


def parse_query(raw: bytes) -> Query:
    """A query string's names and values."""
    try:
        if len(raw) <= QUERY_MAX_BYTES:
            return parse_qs(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
        detail = f"The query is longer than {QUERY_MAX_BYTES} bytes."
    except ValueError:
        detail = "The query cannot be decoded."
    raise InvalidError(detail, code="invalid_query", faults=[PlacedFault("", "query", detail)])


class HotPath:
    """A path of hot routes: its template and a handler per method."""

    __slots__ = ("handlers", "match", "template")

    def __init__(self, template: str) -> None:
        self.template = template
        self.handlers: dict[str, HotHandler] = {}
        pieces = _PARAMETER.split(template)  # text, name, ":path" or None, text, ...
        pattern = re.escape(pieces[0])
        for name, path, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            pattern += f"(?P<{name}>{'.+' if path else '[^/]+'}){re.escape(text)}"
        self.match: Callable[[str], re.Match[str] | None] = re.compile(pattern, re.DOTALL).fullmatch

    @property
    def has_parameters(self) -> bool:
        """Whether the template names any."""
        return "{" in self.template


class HotTable:
    """Finds the hot route of a path: plain paths by one look-up, templates (`/a/{id}`, `/a/{rest:path}`) in the order
    they were given."""

    def __init__(self, routes: HotRoutes) -> None:
        self.paths: dict[str, HotPath] = {}
        for (method, template), handler in routes.items():
            self.paths.setdefault(template, HotPath(template)).handlers[method] = handler
        self._plain = {path.template: path for path in self.paths.values() if not path.has_parameters}
        self._templates = [(path, path.match) for path in self.paths.values() if path.has_parameters]

    def find(self, path: str) -> tuple[HotPath | None, dict[str, str]]:
        """The hot path that this is, if it is one, with its parameters."""
        plain = self._plain.get(path)
        if plain is not None:
            return plain, {}
        for candidate, match in self._templates:
            found = match(path)
            if found is not None:
                return candidate, found.groupdict()
        return None, {}


def one(query: Query, name: str, default: Any = None) -> Any:
    """The only value of a query parameter; the default where it is missing. Raises InvalidError when it is repeated."""
    values = query.get(name)
    if values is None:
        return default
    if len(values) > 1:
        raise InvalidError("The query is not acceptable.", faults=[PlacedFault(f"/{name}", "once", "Give it once.")])
    return values[0]


def no_route() -> NotFoundError:
    """What to say of a path that is not ours."""
    return NotFoundError("There is nothing at this path.", code="no_such_path")
