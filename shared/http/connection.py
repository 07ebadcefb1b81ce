"""uvicorn's connection, bounded before there is a request: how long a head may take, how large it may grow, how many
connections there may be. uvicorn itself waits for ever for the end of a head, and so for a client that never speaks."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.errors import MalformedError, TreueError
from shared.http.errors import HeadersTooLargeError, SlowRequestError
from shared.http.problems import problem_response

HEAD_TIMEOUT_S: Final = 10.0
HEAD_MAX_BYTES: Final = 65_536
CONNECTIONS_MAX: Final = 4096


class BoundedConnection(HttpToolsProtocol):
    """A connection that a slow or broken client cannot hold."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_ends: float | None = None  # when the head that is coming in must be complete
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self.timeout_keep_alive_task = self.loop.call_later(HEAD_TIMEOUT_S, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_ends = self.loop.time() + HEAD_TIMEOUT_S
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._head_ends = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_ends is not None:
            self._bound_head(self._head_ends, len(data))

    def _bound_head(self, ends: float, received: int) -> None:
        self._head_bytes += received
        if self._head_bytes > HEAD_MAX_BYTES:
            self._refuse(HeadersTooLargeError(f"The headers exceed {HEAD_MAX_BYTES} bytes."))
        elif not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_at(ends, self._head_too_slow)

    def _head_too_slow(self) -> None:
        self._refuse(SlowRequestError(f"The headers did not arrive within {HEAD_TIMEOUT_S:g} s."))

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are plain text
        self._refuse(MalformedError("This is not HTTP/1.1."))

    def _refuse(self, error: TreueError) -> None:
        """Answer and hang up: what follows on this connection means nothing any more."""
        self._head_ends = None
        if self.transport.is_closing():
            return
        # An answer under way would be cut in two by this one.
        if self.cycle is None or self.cycle.response_complete:
            status, headers, body = problem_response(error)
            lines = [*headers, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
            head = b"".join(b"%b: %b\r\n" % line for line in dict(lines).items())
            self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], head, body))
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever asks for another protocol gets HTTP/1.1; that needs no line in the log."""
