"""A shorter way through uvicorn, for a body that is here already and for an answer that is known as a whole.

uvicorn writes head and body by two system calls, looks at each header with two regular expressions, and goes through
the event loop for a body that it holds. Under another server, and wherever anything is out of the ordinary, there is no
shortcut: the application speaks plain ASGI.
"""

from collections.abc import Iterable

from starlette.types import Receive, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle


def body_at_hand(receive: Receive) -> bytes | None:
    """The whole body, if uvicorn has it; afterwards it is not there any more."""
    cycle = getattr(receive, "__self__", None)
    if not isinstance(cycle, RequestResponseCycle) or cycle.more_body or cycle.disconnected or cycle.response_started:
        return None
    body = bytes(cycle.body)
    cycle.body.clear()
    return body


def answer_at_once(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bool:
    """Send head and body together; False when they must go the long way. `headers` must tell the length of `body`."""
    cycle = getattr(send, "__self__", None)
    if not isinstance(cycle, RequestResponseCycle) or not _is_ordinary(cycle):
        return False
    lines = [STATUS_LINE[status]]
    for name, value in (*cycle.default_headers, *headers):
        lines += (name, b": ", value, b"\r\n")
    head = b"".join(lines)
    # A line break inside a header would split the answer: uvicorn refuses such a header, and shall.
    if (
        head.count(b"\n") != len(lines) // 4 + 1
        or head.count(b"\r") != len(lines) // 4 + 1
        or b"\nconnection: " in head
    ):
        return False
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"%b\r\n%b" % (head, body))
    cycle.message_event.set()
    cycle.on_response()
    return True


def _is_ordinary(cycle: RequestResponseCycle) -> bool:
    return (
        not (cycle.response_started or cycle.disconnected or cycle.flow.write_paused)
        and cycle.keep_alive
        and cycle.scope["method"] != "HEAD"  # whose answer has no body
    )
