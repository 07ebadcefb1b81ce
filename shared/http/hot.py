"""Raw ASGI handlers for the few routes that decide the throughput. They answer before FastAPI's router is asked, and
still have correlation ids, metrics and problems, since the application does those for both."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope

from shared.errors import InvalidError
from shared.http.body import BODY_MAX_BYTES, BODY_TIMEOUT_S, read_body
from shared.http.errors import PlacedFault

QUERY_MAX_BYTES: Final = 4096
JSON_HEADERS: Final = ((b"content-type", b"application/json"),)

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

    def body(
        self,
        limit_bytes: int = BODY_MAX_BYTES,
        timeout_s: float = BODY_TIMEOUT_S,
        content_type: bytes | None = b"application/json",
    ) -> Awaitable[bytes]:
        """The whole body, within bounds (see shared.http.body.read_body)."""
        return read_body(self._receive, self.headers, limit_bytes, timeout_s, content_type)


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


def one(query: Query, name: str, default: Any = None) -> Any:
    """The only value of a query parameter; the default where it is missing. Raises InvalidError when it is repeated."""
    values = query.get(name)
    if values is None:
        return default
    if len(values) > 1:
        raise InvalidError("The query is not acceptable.", faults=[PlacedFault(f"/{name}", "once", "Give it once.")])
    return values[0]
