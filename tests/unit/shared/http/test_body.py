"""Bodies that come slowly, in pieces, or not at all."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.types import Message, Receive

from shared.errors import TooLargeError, TreueError, UnavailableError
from shared.http import body
from shared.http.body import read_body
from shared.http.errors import ClientGoneError, SlowRequestError, UnsupportedMediaError

JSON = {b"content-type": b"application/json"}


def client(*chunks: bytes, ends: bool = True, pause_s: float = 0.0) -> Receive:
    """A client that sends these pieces; without `ends` it leaves after them."""
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": not ends or left > 0}
        for left, chunk in zip(reversed(range(len(chunks))), chunks, strict=True)
    ]
    messages.append({"type": "http.disconnect"})
    waiting = iter(messages)

    async def receive() -> Message:
        await asyncio.sleep(pause_s)
        return next(waiting)

    return receive


async def read(receive: Receive, headers: Mapping[bytes, bytes] = JSON, **bounds: Any) -> bytes:
    return await read_body(receive, headers, **bounds)


@pytest.mark.parametrize("chunks", [[b"{}"], [b"{", b"}"], [b"{", b"", b"}"], [b"{}", b""]])
async def test_a_body_comes_together(chunks: list[bytes]) -> None:
    assert await read(client(*chunks)) == b"{}"
    assert body._Held.total_bytes == 0


@pytest.mark.parametrize("chunks", [[b"\xef\xbb\xbf{}"], [b"\xef\xbb", b"\xbf{}"], [b"\xef\xbb\xbf", b"{}"]])
async def test_a_byte_order_mark_is_no_part_of_it(chunks: list[bytes]) -> None:
    assert await read(client(*chunks)) == b"{}"


@pytest.mark.parametrize("chunks", [[b"x" * 11], [b"x" * 6, b"x" * 5], [b"x"] * 11])
async def test_the_limit_holds_however_it_comes(chunks: list[bytes]) -> None:
    assert await read(client(*chunks), limit_bytes=11) == b"x" * 11
    with pytest.raises(TooLargeError):
        await read(client(*chunks), limit_bytes=10)
    assert body._Held.total_bytes == 0


@pytest.mark.parametrize("announced", [b"11", b"9" * 16, b"9" * 5000])
async def test_what_announces_itself_too_large_is_not_awaited(announced: bytes) -> None:
    with pytest.raises(TooLargeError):
        await read(client(pause_s=60), JSON | {b"content-length": announced}, limit_bytes=10)


async def test_a_slow_body_is_given_up() -> None:
    for chunks in ([b"{}"], [b"{"] * 100):
        with pytest.raises(SlowRequestError):
            await read(client(*chunks, pause_s=0.02), timeout_s=0.01 if len(chunks) == 1 else 0.1)
    assert body._Held.total_bytes == 0
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0  # nothing of the alarm is left on the task


async def test_who_cancels_the_request_is_obeyed() -> None:
    reading = asyncio.create_task(read(client(b"{}", pause_s=60), timeout_s=60))
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_client_that_leaves_is_not_answered() -> None:
    for chunks in ([], [b"{"]):
        with pytest.raises(ClientGoneError):
            await read(client(*chunks, ends=False))
    assert body._Held.total_bytes == 0


async def test_many_large_bodies_share_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "UNFINISHED_MAX_BYTES", 100)
    first = asyncio.create_task(read(client(b"x" * 80, b"x", pause_s=0.05)))
    await asyncio.sleep(0.07)
    with pytest.raises(UnavailableError) as caught:
        await read(client(b"x" * 30, b"x"))
    assert caught.value.code == "overloaded"
    assert len(await first) == 81
    assert await read(client(b"x" * 80, b"x"))
    assert body._Held.total_bytes == 0


@pytest.mark.parametrize(
    ("headers", "fine"),
    [
        ({b"content-type": b"application/json"}, True),
        ({b"content-type": b"application/json;charset=utf-8"}, True),
        ({b"content-type": b" Application/JSON "}, True),
        ({b"content-type": b"application/json", b"content-encoding": b"identity"}, True),
        ({b"content-type": b"application/json", b"content-encoding": b"gzip"}, False),
        ({b"content-type": b"text/plain"}, False),
        ({b"content-type": b"text/plain;application/json"}, False),
        ({}, False),
    ],
)
async def test_only_plain_json_is_read(headers: dict[bytes, bytes], fine: bool) -> None:
    async def outcome(content_type: bytes | None) -> bytes | type[TreueError]:
        try:
            return await read(client(b"{}"), headers, content_type=content_type)
        except UnsupportedMediaError:
            return UnsupportedMediaError

    assert await outcome(b"application/json") == (b"{}" if fine else UnsupportedMediaError)
    assert await outcome(None) == (UnsupportedMediaError if b"gzip" in headers.values() else b"{}")
