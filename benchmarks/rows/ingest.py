"""Taking events in: the gateway on a core of its own, load, Kafka and Postgres on the other."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import psutil

from benchmarks import load
from benchmarks.harness import Goal, Row, Sample, in_turn, row
from benchmarks.machine import SERVER_CORE, Machine, pin
from benchmarks.shop import CUSTOMERS, batch, body
from benchmarks.size import Size
from deploy.local.folder import PROJECT
from shared.ids import new_id

_BATCH = 100
_WORKERS = ("points-worker", "notifications-worker", "metrics-worker", "gateway-worker")


def ingest(machine: Machine, size: Size) -> list[Row]:
    """`ingest_single` and `ingest_batch`."""
    assert machine.description is not None
    machine.stop(*_WORKERS)
    gateway = machine.pid("gateway")
    machine.pin([gateway])
    url, key = machine.description.base_url, machine.description.api_key
    single = body("@mark@", "customer-0000000")
    many = batch(_BATCH, "@mark@", CUSTOMERS)
    try:
        with limit_server("body") as body_only, limit_server("decode") as decode:
            singles = in_turn(
                size.rounds,
                lambda: _measured(gateway, url, "/v1/purchases", single, key, size.seconds, 1),
                lambda: _measured(*body_only, "/", single, key, size.seconds, 1),
            )
            batches = in_turn(
                size.rounds,
                lambda: _measured(gateway, url, "/v1/purchases/batch", many, key, size.seconds, _BATCH),
                lambda: _measured(*decode, "/", many, key, size.seconds, _BATCH),
            )
    finally:
        machine.unpin()
        machine.start(*_WORKERS)
    return [
        row("ingest_single", "POST /v1/purchases, acknowledged by Kafka", "raw ASGI that reads the body",
            "events/CPU-s", singles, Goal(0.20, 0.50)),
        row("ingest_batch", f"batches of {_BATCH}, acknowledged by Kafka",
            "raw ASGI, msgspec decoding and validation, no Kafka", "events/CPU-s", batches, Goal(0.25, 0.55)),
    ]  # fmt: skip


def _measured(pid: int, url: str, path: str, template: bytes, key: str, seconds: float, events: int) -> Sample:
    process = psutil.Process(pid)
    load.post(url, path, template, key, 0.5, f"warm-{new_id().hex}")
    before = process.cpu_times()
    seen = load.post(url, path, template, key, seconds, f"o-{new_id().hex}")
    after = process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    done = seen.requests * events
    return Sample(
        done / cpu, {"events_per_s": seen.rate * events, "cpu_us": cpu / done * 1e6, "busy": cpu / seen.seconds}
        | seen.latency_ms,
    )  # fmt: skip


@contextlib.contextmanager
def limit_server(which: str) -> Iterator[tuple[int, str]]:
    """Process id and address of a server of limits.py on the first core."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.limits", which, str(port)], cwd=PROJECT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url)
        pin(server.pid, SERVER_CORE)
        yield server.pid, url
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            httpx.post(url, content=b"{}")
            return
        time.sleep(0.05)
    raise RuntimeError("the limit's server does not answer")
