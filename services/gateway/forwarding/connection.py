"""A connection to a service: HTTP/1.1, one question at a time.

Our own because of httpx's price: with 32 readers at a time a balance through the gateway reached 0.027 of pgbench's
rate with it, and 0.15 with this. It speaks only what our own services answer.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

RawHeaders = Sequence[tuple[bytes, bytes]]

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class BrokenError(OSError):
    """The connection broke before the whole answer was there."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a service. `target` is the path and the query as they came; `timeout_s` is for everything: a
    free connection, its making, the answer, and a second try. `waits`: the service may let it wait for something to
    happen; such a question takes no connection away from the others."""

    method: str
    target: bytes
    headers: RawHeaders
    body: bytes = b""
    timeout_s: float = 2.0
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service said."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Address:
    """Where a service listens."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or parts.hostname is None:
            raise ValueError(f"not the address of a service: {base_url}")
        self._host, self._secure = parts.hostname, parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self.name = parts.netloc.rpartition("@")[2].encode()

    async def connect(self) -> "Connection":
        """Raises OSError when nobody listens."""
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context() if self._secure else None
        _, connection = await loop.create_connection(lambda: Connection(self.name), self._host, self._port, ssl=context)
        return connection


class Connection(asyncio.Protocol):
    """Usable again as long as `open` says so. The methods `on_...` are the parser's."""

    def __init__(self, host: bytes) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answered: asyncio.Future[Reply] | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._without_body = False
        self.idle_since = 0.0

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, question: Question, until: float) -> Reply:
        """The answer, by the loop's clock before `until`. Raises BrokenError, TimeoutError; whoever is cancelled hangs
        up as well."""
        if self._transport is None or not self.open:
            raise BrokenError("the connection is closed")
        self._headers, self._body = {}, []
        self._without_body = question.method == "HEAD"
        self._parser = httptools.HttpResponseParser(self)
        self._answered = asyncio.get_running_loop().create_future()
        # A timer instead of asyncio.timeout(): it costs a third.
        timer = asyncio.get_running_loop().call_at(until, self._give_up)
        self._transport.write(_written(question, self._host))
        try:
            return await self._answered
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(BrokenError(str(exc or "the service hung up")))

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._answered is None or self._answered.done():
            self.close()  # nobody has asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BrokenError(f"not HTTP: {error}"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._without_body:
            self.on_message_complete()
            self.close()  # the parser would wait for the body that a GET would have had

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        assert self._parser is not None  # noqa: S101 - it is what calls this
        status = self._parser.get_status_code()
        if status < 200 or self._answered is None or self._answered.done():
            return
        if not self._without_body and not self._parser.should_keep_alive():
            self.close()
        self._answered.set_result(Reply(status, self._headers, b"".join(self._body)))

    def _give_up(self) -> None:
        self._fail(TimeoutError("the service did not answer in time"))

    def _fail(self, error: Exception) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)


def _written(question: Question, host: bytes) -> bytes:
    """The request's bytes. Raises ValueError where a header would become another one."""
    body = question.body
    head = [b"%b %b HTTP/1.1" % (question.method.encode(), question.target), b"host: " + host]
    head += [b"%b: %b" % header for header in question.headers]
    if body or question.method in _WITH_BODY:
        head.append(b"content-length: %d" % len(body))
    written = b"\r\n".join(head)
    if written.count(b"\n") != len(head) - 1 or written.count(b"\r") != len(head) - 1:
        raise ValueError("a header has a line end in it")
    return written + b"\r\n\r\n" + body
