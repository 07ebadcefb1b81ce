"""What the processes hold after many events, and whether it grows."""

import contextlib
import statistics
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil

from benchmarks import load
from benchmarks.harness import Goal, Row
from benchmarks.machine import ALL_CORES, Machine
from benchmarks.rows.ingest import ingest
from benchmarks.settling import events_done, events_taken_in, wait_until_done
from benchmarks.shop import CUSTOMERS, batch
from benchmarks.size import Size
from shared.ids import new_id

_BATCH = 100
_SERVICE_OF = {
    "points-api": "points", "points-worker": "points", "metrics-worker": "metrics",
    "notifications-worker": "notifications",
}  # fmt: skip
_GATEWAY = "gateway"
_PROCESSES = (_GATEWAY, *_SERVICE_OF)
_SLOPE_MAX = 20.0
_LOOK_S = 2.0


@dataclass
class Resident:
    """What was seen of the processes so far: by name and process id, how many events it had handled and its MB."""

    taken_in_before: int
    seen: dict[tuple[str, int], list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))

    def look(self, machine: Machine) -> None:
        """Note down what each process holds that runs now."""
        done = {_GATEWAY: events_taken_in(machine) - self.taken_in_before, **events_done(machine)}
        for name in _PROCESSES:
            with contextlib.suppress(psutil.NoSuchProcess, RuntimeError):  # ingest stops some meanwhile
                pid = machine.pid(name)
                mb = psutil.Process(pid).memory_info().rss / 2**20
                self.seen[name, pid].append((done[_SERVICE_OF.get(name, _GATEWAY)], mb))

    def last_life(self, name: str) -> list[tuple[int, float]]:
        """What was seen of the process that runs now, while it went on."""
        points = next(points for (of, _), points in reversed(self.seen.items()) if of == name)
        return list({done: (done, mb) for done, mb in points}.values())


def ingest_and_memory(machine: Machine, size: Size) -> list[Row]:
    """`ingest_single`, `ingest_batch`, and `memory` over the events that these have sent: every service would
    work three minutes on a million more."""
    with _watched(machine) as resident:
        return [*ingest(machine, size), _memory(machine, size, resident)]


@contextlib.contextmanager
def _watched(machine: Machine) -> Iterator[Resident]:
    """Look at the processes every two seconds meanwhile."""
    resident, finished = Resident(events_taken_in(machine)), threading.Event()

    def watch() -> None:
        while not finished.wait(_LOOK_S):
            resident.look(machine)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield resident
    finally:
        finished.set()
        watching.join()


def _memory(machine: Machine, size: Size, resident: Resident) -> Row:
    """Resident MB by process over `memory_events` events through the whole platform, until every service has done them.
    What was sent before counts.

    A short run judges nothing: it shows how they warm up."""
    while (sent := events_taken_in(machine) - resident.taken_in_before) < size.memory_events:
        _send(machine)
    wait_until_done(machine)
    lives = {name: resident.last_life(name) for name in _PROCESSES}
    slopes = {f"{name}_mb_per_million": _slope(life) * 1e6 for name, life in lives.items()}
    worst = max(slopes.values())
    return Row(
        "memory", "steepest growth of a process, second half", "none", "MB per million events", worst, None, worst,
        (min(slopes.values()), worst), 1, None if size.quick else Goal(_SLOPE_MAX, 1.0, smaller=True),
        {"events": sent, **{f"{name}_mb": life[-1][1] for name, life in lives.items()}, **slopes},
    )  # fmt: skip


def _send(machine: Machine) -> None:
    assert machine.description is not None
    given = batch(_BATCH, "@mark@", CUSTOMERS)
    load.post(
        machine.description.base_url, "/v1/purchases/batch", given, machine.description.api_key, 2,
        f"m-{new_id().hex}", connections=4, cores=ALL_CORES,
    )  # fmt: skip


def _slope(life: list[tuple[int, float]]) -> float:
    """MB an event, over the second half of the events."""
    middle = (life[0][0] + life[-1][0]) / 2
    half = [point for point in life if point[0] >= middle]
    return statistics.linear_regression(*zip(*half, strict=True)).slope
