"""The real server over real sockets: clients that are slow, broken, or many; and an end in order."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI

from shared.http import connection
from shared.http.app import Application, create_app
from shared.http.hot import HotRequest, HotResponse
from shared.http.server import serve

HEAD = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
GOOD = HEAD + b"content-length: 2\r\n\r\n{}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def echo_app() -> Application:
    async def echo(request: HotRequest) -> HotResponse:
        return HotResponse(200, await request.body(10_000, 0.3))

    async def slow(_: HotRequest) -> HotResponse:
        await asyncio.sleep(0.3)
        return HotResponse(200, b"done")

    return create_app(service="test", version="1", title="Test", hot={("POST", "/echo"): echo, ("GET", "/slow"): slow})


@asynccontextmanager
async def serving(app: Application) -> AsyncIterator[tuple[int, asyncio.Event, "asyncio.Task[None]"]]:
    port, stop = free_port(), asyncio.Event()
    task = asyncio.create_task(serve(app, "127.0.0.1", port, 2.0, stop, notice_s=0.05))
    await until(lambda: reachable(port))
    try:
        yield port, stop, task
    finally:
        stop.set()
        await task


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def talk(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Say these pieces and listen until the server hangs up (the pieces should ask for it)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


CLOSE = HEAD + b"connection: close\r\n"
# What Java's HttpClient sends by default over plain http, in the order in which it does.
JAVA = (
    b"POST /echo HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 2\r\nHost: 127.0.0.1\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n"
    b"User-Agent: Java-http-client/17.0.15\r\n"
    b"Content-Type: application/json\r\n\r\n{}"
)
LAST = CLOSE + b"content-length: 2\r\n\r\n[]"


def bodies(answers: bytes) -> list[bytes]:
    """The bodies of answers that stand one behind the other."""
    parts = answers.split(b"HTTP/1.1 200 OK\r\n")
    assert parts[0] == b"", answers
    return [part.partition(b"\r\n\r\n")[2] for part in parts[1:]]


@pytest.mark.parametrize(
    "request_bytes",
    [
        JAVA,
        JAVA.replace(b"Upgrade: h2c", b"upgrade: h2c"),
        JAVA.replace(b"Upgrade: h2c", b"UPGRADE: h2c"),
        JAVA.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").replace(b"{}", b"2\r\n{}\r\n0\r\n\r\n"),
        JAVA.replace(b"h2c", b"websocket"),
    ],
    ids=["as Java does it", "lower case", "upper case", "chunked", "another protocol"],
)
async def test_whoever_offers_another_protocol_is_answered_in_http_1_1(request_bytes: bytes) -> None:
    async with serving(echo_app()) as (port, _, _):
        assert bodies(await talk(port, request_bytes, LAST, pause_s=0.05)) == [b"{}", b"[]"]


@pytest.mark.parametrize("at", range(0, len(JAVA), 7))
async def test_an_offer_that_comes_in_pieces(at: int) -> None:
    async with serving(echo_app()) as (port, _, _):
        assert bodies(await talk(port, JAVA[:at], JAVA[at:], LAST, pause_s=0.02)) == [b"{}", b"[]"]


async def test_a_body_that_speaks_of_an_upgrade_stays_as_it_is() -> None:
    body = b'{"a":\nupgrade\r\n\r\n}'
    head = CLOSE + b"content-length: %d\r\n\r\n" % len(body)
    async with serving(echo_app()) as (port, _, _):
        assert bodies(await talk(port, head + body)) == [body]
        assert bodies(await talk(port, head, body, pause_s=0.02)) == [body]
        assert bodies(await talk(port, head + body[:9], body[9:], pause_s=0.02)) == [body]


async def test_head_over_a_socket_has_the_length_and_no_body() -> None:
    async with serving(echo_app()) as (port, _, _):
        head = b"HEAD /slow HTTP/1.1\r\nhost: x\r\n"
        answer = await talk(port, head + b"\r\n" + head + b"connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.count(b"content-length: 4\r\n") == 2
    assert b"done" not in answer


async def test_a_request_in_any_pieces_is_answered() -> None:
    whole = CLOSE + b"content-length: 2\r\n\r\n{}"
    chunked = CLOSE + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    async with serving(echo_app()) as (port, _, _):
        for raw in (whole, chunked):
            assert (await talk(port, raw)).endswith(b"\r\n\r\n{}")
            assert (await talk(port, *(raw[at : at + 20] for at in range(0, len(raw), 20)), pause_s=0.002)).endswith(
                b"{}"
            )


async def test_requests_in_a_row_are_answered_in_order() -> None:
    async with serving(echo_app()) as (port, _, _):
        answer = await talk(
            port, GOOD + b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + CLOSE + b"content-length: 1\r\n\r\n7"
        )
        assert [answer.count(b"HTTP/1.1 200"), answer.index(b"{}") < answer.index(b"done")] == [3, True]
        assert answer.endswith(b"7")


async def test_what_is_no_http_is_told_so() -> None:
    async with serving(echo_app()) as (port, _, _):
        for raw in (
            b"\x16\x03\x01\x02\x00\x01",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /echo HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        ):
            answer = await talk(port, raw)
            assert answer.startswith(b"HTTP/1.1 400")
            assert b"application/problem+json" in answer
        smuggled = HEAD + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /slow HTTP/1.1\r\n\r\n"
        assert b"done" not in await talk(port, smuggled)


async def test_a_head_that_grows_for_ever_is_refused() -> None:
    async with serving(echo_app()) as (port, _, _):
        answer = await talk(port, HEAD, *[b"x-filler: " + b"y" * 8000 + b"\r\n"] * 12)
        assert answer.startswith(b"HTTP/1.1 431")
        assert answer.count(b"HTTP/1.1") == 1
        assert (await talk(port, CLOSE + b"x: " + b"y" * 20_000 + b"\r\n\r\n")).startswith(b"HTTP/1.1 431")


async def test_a_slow_head_a_silent_client_and_a_slow_body_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.2)
    async with serving(echo_app()) as (port, _, _):
        dripping = await talk(port, *(HEAD[at : at + 4] for at in range(0, len(HEAD), 4)), pause_s=0.02)
        assert dripping.startswith(b"HTTP/1.1 408")
        assert await talk(port) == b""
        slow = await talk(port, HEAD + b"content-length: 100\r\n\r\n{")
        assert slow.startswith(b"HTTP/1.1 408")
        assert b"request_timeout" in slow


async def test_a_slow_head_after_a_good_request_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.2)
    async with serving(echo_app()) as (port, _, _):
        answer = await talk(port, GOOD, HEAD)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"HTTP/1.1 408" in answer


async def test_empty_lines_do_not_hold_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.2)
    async with serving(echo_app()) as (port, _, _):
        assert await talk(port, b"\r\n") == b""
        assert (await talk(port, GOOD, b"\r\n", pause_s=0.05)).count(b"HTTP/1.1") == 1


async def test_a_body_and_the_next_head_in_one_piece_are_both_read() -> None:
    large = HEAD + b"content-length: 9000\r\n\r\n" + b"7" * 9000
    last = CLOSE + b"content-length: 1\r\n\r\n7"
    async with serving(echo_app()) as (port, _, _):
        answer = await talk(port, large * 12 + last[:30], last[30:], pause_s=0.05)
        assert answer.count(b"HTTP/1.1 200") == 13


async def test_a_client_that_asks_first_whether_it_may_send_is_told() -> None:
    asking = CLOSE + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    async with serving(echo_app()) as (port, _, _):
        answer = await talk(port, asking, b"{}", pause_s=0.05)
        assert answer.startswith(b"HTTP/1.1 100")
        assert answer.endswith(b"{}")


async def test_to_head_only_the_head_is_sent() -> None:
    async def look(_: HotRequest) -> HotResponse:
        return HotResponse(200, b"12345")

    app = create_app(service="test", version="1", title="Test", hot={("HEAD", "/look"): look, ("GET", "/look"): look})
    async with serving(app) as (port, _, _):
        request = b" /look HTTP/1.1\r\nhost: x\r\n"
        answer = await talk(port, b"HEAD" + request + b"\r\nGET" + request + b"connection: close\r\n\r\n")
        first, second = answer.split(b"HTTP/1.1 200 OK\r\n")[1:]
        assert b"content-length: 5" in first
        assert first.endswith(b"\r\n\r\n")
        assert second.endswith(b"\r\n\r\n12345")


async def test_a_header_cannot_split_the_answer() -> None:
    async def careless(_: HotRequest) -> HotResponse:
        return HotResponse(200, b"x", ((b"location", b"/a\r\nset-cookie: admin=1"),))

    app = create_app(service="test", version="1", title="Test", hot={("GET", "/careless"): careless})
    async with serving(app) as (port, _, _):
        answer = await talk(port, b"GET /careless HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"set-cookie" not in answer


async def test_an_answer_in_progress_is_not_cut_by_nonsense_behind_it() -> None:
    async with serving(echo_app()) as (port, _, _):
        answer = await talk(port, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n\x00\x01nonsense")
        assert b"HTTP/1.1 400" not in answer


async def test_whoever_asks_for_another_protocol_gets_this_one() -> None:
    upgrade = (
        b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: x\r\n\r\n"
    )
    async with serving(echo_app()) as (port, _, _):
        assert (await talk(port, upgrade)).startswith(b"HTTP/1.1 200")


async def test_connections_beyond_the_limit_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 3)
    async with serving(echo_app()) as (port, _, _):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert await talk(port) == b""
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        assert (await talk(port, CLOSE + b"content-length: 1\r\n\r\n1")).endswith(b"1")


async def test_two_hundred_slow_clients_do_not_stop_a_good_one() -> None:
    async with serving(echo_app()) as (port, _, _):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        for _, writer in held:
            writer.write(HEAD + b"content-length: 9000\r\n\r\n{")
        async with asyncio.timeout(2):
            for _ in range(20):
                assert (await talk(port, CLOSE + b"content-length: 1\r\n\r\n1")).endswith(b"1")
        for _, writer in held:
            writer.close()


async def test_it_ends_in_order() -> None:
    app = echo_app()
    async with serving(app) as (port, stop, task):
        asking = asyncio.create_task(talk(port, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"))
        await asyncio.sleep(0.05)
        stop.set()
        await asyncio.sleep(0.02)
        ready = await talk(port, b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert ready.startswith(b"HTTP/1.1 503")  # still answering, and saying so
        assert (await asking).endswith(b"done")
        await task
        assert not reachable(port)


async def test_a_taken_port_and_a_broken_start_are_errors_and_not_exits() -> None:
    @asynccontextmanager
    async def breaks(_: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port}"):
            await serve(echo_app(), "127.0.0.1", port, 1.0, asyncio.Event())
    broken = create_app(service="test", version="1", title="Test", lifespan=breaks)
    with pytest.raises(RuntimeError):
        await serve(broken, "127.0.0.1", free_port(), 1.0, asyncio.Event())


async def test_it_ends_when_its_task_is_cancelled() -> None:
    port = free_port()
    task = asyncio.create_task(serve(echo_app(), "127.0.0.1", port, 1.0, asyncio.Event()))
    await until(lambda: reachable(port))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not reachable(port)
