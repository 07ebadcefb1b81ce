"""uvicorn as a task among others: it takes no signals and does not decide when the process ends."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from uvicorn import Config, Server

from shared.http.app import Application
from shared.http.connection import BoundedConnection

BACKLOG: Final = 1024
KEEP_ALIVE_S: Final = 30
_NOTICE_S: Final = 0.3


class _Server(Server):
    """A server that leaves signals to shared.process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: Application, host: str, port: int, shutdown_timeout_s: float, stop: asyncio.Event, notice_s: float = _NOTICE_S
) -> None:
    """Serve until `stop`, then end in order: not ready any more, `notice_s` for balancers to see it, no new
    connections, requests under way finish within `shutdown_timeout_s`.

    Raises OSError when the port is taken, RuntimeError when the server ends by itself.
    """
    listener = _listen(host, port)
    server = _Server(_config(app, shutdown_timeout_s))
    serving = asyncio.create_task(_run(server, listener), name="http")
    stopping = asyncio.create_task(stop.wait(), name="http-stop")
    try:
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            serving.result()
            raise RuntimeError("the HTTP server ended by itself")
        app.readiness.close()
        await asyncio.sleep(notice_s)
    finally:
        server.should_exit = True
        stopping.cancel()
        await asyncio.wait((serving,))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host} port {port}: {error.strerror}") from error


async def _run(server: Server, listener: socket.socket) -> None:
    try:
        await server.serve([listener])
    except SystemExit as error:  # uvicorn's way to say that the application did not start
        raise RuntimeError("the application did not start") from error
    finally:
        listener.close()


def _config(app: Application, shutdown_timeout_s: float) -> Config:
    return Config(
        app,
        http=BoundedConnection,
        ws="none",
        loop="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(shutdown_timeout_s)),
    )
