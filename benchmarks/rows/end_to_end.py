"""From a POST to a balance that can be seen: how many, and how soon."""

import asyncio
import contextlib
import json
import statistics
import time
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks import load
from benchmarks.harness import Goal, Row, Sample, row
from benchmarks.machine import ALL_CORES, Machine
from benchmarks.posting_runs import execute, fetch_value
from benchmarks.shop import CUSTOMERS, batch, body
from benchmarks.size import Size
from shared.ids import new_id

_BATCH = 100
_CONNECTIONS = 4
_PROBES_PER_S = 20
_WARM_S = 5  # the first pages after a checkpoint are logged whole
_DONE = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offset WHERE topic = 'treue.purchases'"
_BESIDE = ("notifications-api", "notifications-worker", "metrics-api", "metrics-worker", "gateway-worker")


def end_to_end(machine: Machine, size: Size) -> list[Row]:
    """`end_to_end`, and `end_to_end_p99` at half of its rate."""
    machine.stop(*_BESIDE)
    try:
        pairs = [
            (_together(machine, size.seconds), _slowest_alone(machine, size.seconds / 2)) for _ in range(size.rounds)
        ]
        together = row(
            "end_to_end", "POST of batches until each balance is there, both cores",
            "the slower of intake alone and posting alone", "events/s", pairs, Goal(0.40, 0.80),
        )  # fmt: skip
        return [together, _latency(machine, together.ours / 2, 20 if size.quick else 60)]
    finally:
        machine.start(*_BESIDE)


def _together(machine: Machine, seconds: float) -> Sample:
    before, started = _done(machine), time.monotonic()
    posted = _post(machine, seconds)
    _wait_for(machine, before + posted)
    return Sample(posted / (time.monotonic() - started))


def _slowest_alone(machine: Machine, seconds: float) -> Sample:
    """Intake while nobody posts, then posting while nobody takes in."""
    machine.stop("points-worker")
    before, started = _done(machine), time.monotonic()
    posted = _post(machine, seconds)
    intake = posted / (time.monotonic() - started)
    machine.start("points-worker")
    first = _wait_for(machine, before + 1)
    seen, begun = first, time.monotonic()
    _wait_for(machine, before + posted)
    posting = (before + posted - seen) / (time.monotonic() - begun)
    return Sample(min(intake, posting), {"intake": intake, "posting": posting})


def _post(machine: Machine, seconds: float) -> int:
    assert machine.description is not None
    given = batch(_BATCH, "@mark@", CUSTOMERS)
    seen = load.post(
        machine.description.base_url, "/v1/purchases/batch", given, machine.description.api_key, seconds,
        f"e-{new_id().hex}", connections=_CONNECTIONS, cores=ALL_CORES,
    )  # fmt: skip
    return seen.requests * _BATCH


def _done(machine: Machine) -> int:
    """Events that are in the ledger, once nothing moves any more."""
    seen = -1
    while True:
        now = _count(machine)
        if now == seen:
            return now
        seen = now
        time.sleep(0.5)


def _count(machine: Machine) -> int:
    return int(asyncio.run(fetch_value(machine.stack.addresses.database, "points", _DONE)))


def _wait_for(machine: Machine, count: int) -> int:
    deadline = time.monotonic() + 180
    while (now := _count(machine)) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{count - now} events do not arrive")
        time.sleep(0.05)
    return now


def _latency(machine: Machine, rate: float, seconds: int) -> Row:
    # What the rounds before it have left in memory is not written to disk meanwhile.
    asyncio.run(execute(machine.stack.addresses.database, "points", "CHECKPOINT"))
    taken = sorted(asyncio.run(_open_loop(machine, rate, seconds)))
    p50, p99 = statistics.median(taken), taken[round(len(taken) * 0.99) - 1]
    return Row(
        "end_to_end_p99", "from a purchase to its visible balance, open loop at half load", "none", "ms", p99, None,
        p99, (taken[0], taken[-1]), 1, Goal(500, 150, smaller=True),
        {"p50_ms": p50, "p99_ms": p99, "probes": len(taken), "load_events_per_s": rate},
    )  # fmt: skip


async def _open_loop(machine: Machine, rate: float, seconds: int) -> list[float]:
    """Batches at a fixed rate, and single purchases between them whose way is timed from when they were due."""
    assert machine.description is not None
    address = urlsplit(machine.description.base_url)
    client = _Client(address.hostname or "", address.port or 80, machine.description.api_key)
    run = new_id().hex
    taken: list[float] = []
    pending: set[asyncio.Task[None]] = set()

    async def probe(number: int, due: float) -> None:
        who = f"probe-{run}-{number % 50}"
        answer = json.loads(await client.send("POST", "/v1/purchases", body(f"p-{run}-{number}", who)))
        path = f"/v1/customers/{who}/balance?after_event={answer['event_id']}&wait_ms=10000"
        found = json.loads(await client.send("GET", path))
        if found["after_event"] == "applied":
            taken.append((time.monotonic() - due) * 1e3)

    async def post(number: int) -> None:
        await client.send("POST", "/v1/purchases/batch", given.replace(b"@mark@", f"l-{run}-{number}".encode()))

    given = batch(_BATCH, "@mark@", CUSTOMERS)
    started = time.monotonic()
    batches = [(started + at * _BATCH / rate, False, at) for at in range(int(seconds * rate / _BATCH))]
    probes = [
        (started + _WARM_S + at / _PROBES_PER_S, True, at) for at in range(int((seconds - _WARM_S) * _PROBES_PER_S))
    ]
    for due, probes_it, number in sorted([*batches, *probes]):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.ensure_future(probe(number, due) if probes_it else post(number))
        pending.add(task)
        task.add_done_callback(pending.discard)
    await asyncio.gather(*pending)
    client.close()
    if len(taken) < len(probes):
        raise RuntimeError(f"{len(probes) - len(taken)} purchases did not arrive within ten seconds")
    return taken


@dataclass
class _Client:
    """As little HTTP as a load needs: it shares the cores with what is measured."""

    host: str
    port: int
    key: str

    def __post_init__(self) -> None:
        # The one that rested longest goes first: the server closes what rests for five seconds.
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def send(self, method: str, path: str, content: bytes = b"") -> bytes:
        reader, writer = self._idle.popleft() if self._idle else await asyncio.open_connection(self.host, self.port)
        head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self.key}\r\n"
        if content:
            head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
        writer.write(head.encode() + b"\r\n" + content)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0])
        found = await reader.readexactly(length)
        if not answer.startswith(b"http/1.1 2"):
            raise RuntimeError(f"{method} {path}: {answer[:20]!r} {found[:300]!r}")
        self._idle.append((reader, writer))
        return found

    def close(self) -> None:
        for _, writer in self._idle:
            with contextlib.suppress(OSError):
                writer.close()
