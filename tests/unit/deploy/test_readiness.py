"""Who is ready: the processes of this stack, and nobody who happens to answer in their place."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.local.readiness import own_readiness


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def port() -> Iterator[int]:
    """Where this process says that it is ready."""
    with HTTPServer(("127.0.0.1", 0), _Ready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_only_the_process_itself_is_believed(port: int) -> None:
    urls = {"points-api": f"http://127.0.0.1:{port}"}
    assert own_readiness(urls, {"points-api": os.getpid()}) == {"points-api": None}
    taken = {"points-api": f"another process answers at port {port}"}
    assert own_readiness(urls, {"points-api": os.getppid()}) == taken
    assert own_readiness(urls, {"points-api": None}) == taken
