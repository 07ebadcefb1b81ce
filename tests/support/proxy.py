"""A door in front of a server that a test can close: to see what a client does when its server is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable


class Door:
    """Passes bytes on while it is open. Closed, it breaks what is there and refuses what comes; stuck, it takes
    connections and bytes and answers nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._answers_left: int | None = None
        self.port = 0

    async def open(self) -> None:
        """Let through, on the same port as before."""
        self._answers_left = None
        self._open.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._through, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """The server is gone."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        self._open.set()
        await asyncio.sleep(0)

    def stick(self) -> None:
        """The server hangs."""
        self._open.clear()

    def stick_after(self, answers: int) -> None:
        """The server hangs when it has given this many answers more."""
        self._answers_left = answers
        if not answers:
            self.stick()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            self._writers.add(far_writer)
            await asyncio.gather(
                self._pass_on(reader, far_writer), self._pass_on(far_reader, writer, self._count_an_answer)
            )
            self._writers.discard(far_writer)
        self._writers.discard(writer)

    def _count_an_answer(self) -> None:
        if self._answers_left is not None:
            self.stick_after(max(0, self._answers_left - 1))

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: Callable[[], None] = lambda: None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
                passed()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def door_to(host: str, port: int) -> AsyncIterator[Door]:
    """An open door to this server."""
    door = Door(host, port)
    await door.open()
    try:
        yield door
    finally:
        await door.close()
