"""The gateway's own connections to services, under the loop that it runs on."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from services.gateway.forwarding.upstream import Question, Reply, Upstreams
from shared.errors import UnavailableError

GET = Question("GET", b"/v1/x", [(b"accept", b"*/*")])
Answer = Callable[[bytes, asyncio.StreamWriter, int], Awaitable[None]]
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: 1\r\n\r\nhi"


class Service:
    """Answers each request by `answer(head, writer, number)`; counts connections."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._writers: list[asyncio.StreamWriter] = []
        self.connections = self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                await self._answer(head, writer, self.requests)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    async def close(self) -> None:
        """Hang up on everybody."""
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


def ask(answer: Answer, *questions: Question, connections_max: int = 4) -> tuple[list[Reply], Service]:
    """Ask one after another."""
    service = Service(answer)

    async def run() -> list[Reply]:
        server = await asyncio.start_server(service, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        upstreams = Upstreams({"points": url}, connections_max, 1)
        try:
            return [await upstreams["points"].ask(question) for question in questions]
        finally:
            await upstreams.aclose()
            server.close()
            await service.close()

    return uvloop.run(run()), service


async def good(_: bytes, writer: asyncio.StreamWriter, __: int) -> None:
    writer.write(GOOD)


def test_a_connection_is_kept_for_the_next_question() -> None:
    replies, service = ask(good, GET, GET, GET)
    assert [(reply.status, reply.body, reply.headers[b"etag"]) for reply in replies] == [(200, b"hi", b"1")] * 3
    assert service.connections == 1


def test_what_is_asked_arrives_as_it_is() -> None:
    heads: list[bytes] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter, _: int) -> None:
        heads.append(head)
        writer.write(GOOD)

    ask(answer, Question("GET", b"/v1/x?a=%20b", [(b"x-correlation-id", b"c")]))
    lines = heads[0].split(b"\r\n")
    assert lines[0] == b"GET /v1/x?a=%20b HTTP/1.1"
    assert b"x-correlation-id: c" in lines
    assert any(line.startswith(b"host: 127.0.0.1:") for line in lines)


@pytest.mark.parametrize(
    "answered",
    [
        b"HTTP/1.1 304 Not Modified\r\netag: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
    ],
)
def test_every_way_to_end_an_answer(answered: bytes) -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter, __: int) -> None:
        for at in range(len(answered)):  # however it is cut into packets
            writer.write(answered[at : at + 1])

    replies, _ = ask(answer, GET, GET)
    assert len(replies) == 2
    assert replies[0] == replies[1]


def test_a_broken_connection_is_tried_once_more_for_a_reading() -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter, number: int) -> None:
        if number == 2:
            writer.transport.abort()
        else:
            writer.write(GOOD)

    replies, service = ask(answer, GET, GET)
    assert [reply.status for reply in replies] == [200, 200]
    assert service.requests == 3


async def hang_up(_: bytes, writer: asyncio.StreamWriter, __: int) -> None:
    writer.transport.abort()


async def silence(_: bytes, __: asyncio.StreamWriter, ___: int) -> None:
    await asyncio.sleep(3)


async def nonsense(_: bytes, writer: asyncio.StreamWriter, __: int) -> None:
    writer.write(b"nonsense\r\n\r\n")


@pytest.mark.parametrize("answer", [hang_up, nonsense])
def test_no_answer_is_told(answer: Answer) -> None:
    with pytest.raises(UnavailableError):
        ask(answer, GET)


def test_a_writing_is_not_repeated() -> None:
    asked: list[bytes] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter, number: int) -> None:
        asked.append(head)
        await hang_up(head, writer, number)

    with pytest.raises(UnavailableError):
        ask(answer, Question("PUT", b"/v1/x", [], b""))
    assert len(asked) == 1
    assert b"content-length: 0" in asked[0]


def test_silence_ends_in_time() -> None:
    with pytest.raises(UnavailableError):
        ask(silence, Question("GET", b"/v1/x", [], timeout_s=0.05))


def test_a_header_cannot_become_two() -> None:
    with pytest.raises(ValueError, match="line end"):
        ask(good, Question("GET", b"/v1/x", [(b"x-correlation-id", b"c\r\nx-admin: yes")]))


def test_who_waits_for_a_connection_does_not_wait_for_the_answer_as_long_again() -> None:
    """One deadline for a free connection, its making and the answer."""
    released = asyncio.Event()

    async def held(_: bytes, __: asyncio.StreamWriter, ___: int) -> None:
        await released.wait()

    service = Service(held)

    async def run() -> float:
        server = await asyncio.start_server(service, "127.0.0.1", 0)
        upstreams = Upstreams({"points": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}, 1, 1)
        begun = asyncio.get_running_loop().time()
        questions = [Question("GET", b"/v1/x", [], timeout_s=timeout_s) for timeout_s in (0.5, 0.7)]
        answers = await asyncio.gather(*map(upstreams["points"].ask, questions), return_exceptions=True)
        took_s = asyncio.get_running_loop().time() - begun
        released.set()
        server.close()
        await service.close()
        assert [type(answer) for answer in answers] == [UnavailableError] * 2
        return took_s

    assert uvloop.run(run()) < 1.0


def test_questions_at_the_same_time_share_the_connections() -> None:
    service = Service(good)

    async def run() -> list[Reply]:
        server = await asyncio.start_server(service, "127.0.0.1", 0)
        upstreams = Upstreams({"points": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}, 3, 1)
        try:
            return list(await asyncio.gather(*(upstreams["points"].ask(GET) for _ in range(50))))
        finally:
            await upstreams.aclose()
            server.close()
            await service.close()

    assert len(uvloop.run(run())) == 50
    assert service.connections <= 3
