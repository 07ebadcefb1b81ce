"""uvicorn's connection, bounded before there is a request: how long a head may take, how large it may grow, how many
connections there may be. uvicorn itself waits for ever for the end of a head, and so for a client that never speaks."""

import asyncio
import re
from typing import Any, Final

from uvicorn._types import HTTPScope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.errors import MalformedError, TreueError
from shared.http.errors import HeadersTooLargeError, SlowRequestError
from shared.http.problems import problem_response

HEAD_TIMEOUT_S: Final = 10.0
HEAD_MAX_BYTES: Final = 65_536
CONNECTIONS_MAX: Final = 4096
_LINGER_S: Final = 1.0
_upgrade = re.compile(rb"\nupgrade", re.IGNORECASE).finditer
_UPGRADE_LENGTH: Final = len(b"\nupgrade")


class BoundedConnection(HttpToolsProtocol):
    """A connection that a slow or broken client cannot hold."""

    # Beside uvicorn's own attributes, which with ours would be too many for Python to keep them quick to reach.
    __slots__ = ("_head_bytes", "_head_end", "_head_of", "_refused", "_timer")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._head_of: HTTPScope | None = None
        self._head_bytes = 0
        self._head_end = b""  # the last bytes of a head that is not complete
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
        else:
            self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._head_end or b"pgrade" in data or b"PGRADE" in data:
            data = self._without_upgrade(data)
        super().data_received(data)
        cycle = self.cycle
        if cycle is None or cycle.response_complete or self._in_head:
            self._wait_for_head(data)
        elif self._timer is not None:
            self._stop_timer()

    def _without_upgrade(self, data: bytes) -> bytes:
        """The same bytes, where no header of a head asks for another protocol.

        We speak HTTP/1.1, and whoever offers to go on in HTTP/2 (Java's HttpClient does with every request) is to be
        answered in it. The parser, though, takes what follows such a head for another protocol's, and a body with it.
        So the header gets a name that means nothing.
        """
        if self.cycle is not None and self.cycle.more_body:
            return data
        known, self._head_end = self._head_end, b""
        head = known + data.partition(b"\r\n\r\n")[0]
        ends = [found.end() - 1 - len(known) for found in _upgrade(head)]
        if not any(end >= 0 for end in ends):
            return data
        renamed = bytearray(data)
        for end in ends:
            if end >= 0:
                renamed[end : end + 1] = b"-"
        return bytes(renamed)

    @property
    def _in_head(self) -> bool:
        """Whether a request has begun whose head is not complete: uvicorn learns the method at the end of it."""
        return self.scope is not None and "method" not in self.scope

    def _wait_for_head(self, received: bytes) -> None:
        """What came was not the whole head of a request: bound how long, and how much of it, we wait for."""
        if self._head_of is self.scope:
            self._head_bytes += len(received)
        else:  # these bytes may be the end of the request before
            self._head_of, self._head_bytes = self.scope, 0
        if self._in_head:
            self._head_end = received[-_UPGRADE_LENGTH:]
        if self._in_head and self._head_bytes > HEAD_MAX_BYTES:
            self._refuse(HeadersTooLargeError(f"The headers exceed {HEAD_MAX_BYTES} bytes."))
        elif self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._too_slow)

    def _too_slow(self) -> None:
        if self._in_head:
            self._refuse(SlowRequestError(f"The headers did not arrive within {HEAD_TIMEOUT_S:g} s."))
        else:  # not a word of a request
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are plain text
        self._refuse(MalformedError("This is not HTTP/1.1."))

    def _refuse(self, error: TreueError) -> None:
        """Answer and hang up: what follows on this connection means nothing any more."""
        self._stop_timer()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # this answer would cut the one under way in two
            return
        status, headers, body = problem_response(error)
        lines = dict([*headers, (b"content-length", b"%d" % len(body)), (b"connection", b"close")])
        head = b"".join(b"%b: %b\r\n" % line for line in lines.items())
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], head, body))
        # Closing at once would reset the connection under a client that still sends, and lose the answer on its way.
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever asks for another protocol gets HTTP/1.1; that needs no line in the log."""
