"""One request and its answer, as the application passes them around."""

import re
from collections.abc import Sequence
from itertools import count
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from shared.http.client import remember_client
from shared.http.hot import HotRequest
from shared.http.routing import UNMATCHED, Route
from shared.http.shortcut import answer_at_once
from shared.ids import new_id
from shared.observability.context import CORRELATION_ID, EVENT_ID, TENANT

_given_id = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}").fullmatch
# A number after the process's own name: unique everywhere, and a tenth of the cost of a fresh uuid per request.
_PROCESS: Final = new_id().hex[-16:].encode() + b"-%x"
_numbers: Final = count(1)
# Whatever is asked for below these paths may be personal: nobody on the way, and no browser, keeps the answer.
_PERSONAL: Final = ("/v1/", "/internal/")
_NO_STORE: Final = ((b"cache-control", b"no-store"),)


class Exchange:
    """A request's name and route, and the way back to its client, which stamps that name on the answer."""

    __slots__ = (
        "_head",
        "_send",
        "_stamp",
        "correlation_id",
        "headers",
        "params",
        "receive",
        "route",
        "scope",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, route: Route | None, params: dict[str, str]) -> None:
        self.scope = scope
        self.receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.route = route
        self.params = params
        self.status = 0
        self._head: Message | None = None
        self._send = send
        given = self.headers.get(b"x-correlation-id")
        name = given if given is not None and _given_id(given) else _PROCESS % next(_numbers)
        self.correlation_id = name.decode()
        self._stamp: tuple[tuple[bytes, bytes], ...] = (
            (b"x-correlation-id", name),
            *(_NO_STORE if scope["path"].startswith(_PERSONAL) else ()),
        )
        CORRELATION_ID.set(self.correlation_id)
        remember_client(scope)
        # A task may start with what the connection's previous request had set; looking is cheaper than setting.
        if TENANT.get():
            TENANT.set("")
        if EVENT_ID.get():
            EVENT_ID.set("")

    def stamp(self, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        """Whatever is answered carries these too."""
        self._stamp += headers

    @property
    def template(self) -> str:
        """The template of the route that answers; never the path itself, which may hold ids."""
        return UNMATCHED if self.route is None else self.route.template

    @property
    def traceparent(self) -> str:
        """The caller's trace context."""
        given = self.headers.get(b"traceparent")
        return given.decode("latin-1") if given else ""

    def hot_request(self) -> HotRequest:
        """What a hot handler gets."""
        return HotRequest(self.scope, self.receive, self.headers, self.params, self.correlation_id)

    async def send(self, message: Message) -> None:
        """Pass on what FastAPI sends; its head waits for the body, so that both can go at once."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        if self._head is not None:
            status, headers = self._head["status"], [*self._head["headers"], *self._stamp]
            self._head = None
            body = message.get("body", b"")
            if not message.get("more_body", False) and (b"content-length", b"%d" % len(body)) in headers:
                await self._whole(status, headers, body)
                return
            self.status = status
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send(message)

    async def answer(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Answer at once."""
        if status in (204, 304):  # these have no body, and so no length
            await self._whole(status, [*headers, *self._stamp], b"")
        else:
            await self._whole(status, [*headers, *self._stamp, (b"content-length", b"%d" % len(body))], body)

    async def _whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        if not answer_at_once(self._send, status, headers, body):
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
            await self._send({"type": "http.response.body", "body": body})
