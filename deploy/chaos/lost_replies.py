"""A way to Postgres on which the answer to some COMMITs is lost: the server has committed, the client never hears."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

_COMMIT = b"COMMIT;\x00"


class LosingReplies:
    """Once `losing`: no answer to every `every`th COMMIT of sessions whose application name is `victim`."""

    def __init__(self, host: str, port: int, victim: str, every: int) -> None:
        self._host, self._port, self._victim, self._every = host, port, victim.encode(), every
        self._commits = self.lost = 0
        self.losing = False
        self.port = 0
        self._open: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._session, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        losing, task = asyncio.Event(), asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs
        self._open[task] = (writer, far_writer)
        with contextlib.suppress(OSError):
            await asyncio.gather(
                self._there(reader, far_writer, losing), self._back(far_reader, writer, losing)
            )  # fmt: skip
        for each in self._open.pop(task):
            each.transport.abort()

    async def hang_up(self) -> None:
        """End what is still there."""
        for writers in self._open.values():
            for each in writers:
                each.transport.abort()
        await asyncio.gather(*self._open)

    async def _there(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, losing: asyncio.Event) -> None:
        ours = False
        while data := await reader.read(65_536):
            ours = ours or self._victim in data
            if self.losing and ours and data.endswith(_COMMIT):
                self._commits += 1
                if self._commits % self._every == 0:
                    losing.set()
            far.write(data)
            await far.drain()
        far.transport.abort()

    async def _back(self, far: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event) -> None:
        while data := await far.read(65_536):
            if losing.is_set():  # this is the server's answer to the COMMIT: it is done
                self.lost += 1
                break
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def losing_replies(host: str, port: int, victim: str, every: int) -> AsyncIterator[LosingReplies]:
    proxy = LosingReplies(host, port, victim, every)
    server = await proxy.serve()
    try:
        yield proxy
    finally:
        server.close()
        await proxy.hang_up()
