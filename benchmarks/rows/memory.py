"""What the processes hold after many events, and whether it grows."""

import statistics
import threading

import psutil

from benchmarks import load
from benchmarks.harness import Goal, Row
from benchmarks.machine import ALL_CORES, Machine
from benchmarks.settling import events_done, wait_until_done
from benchmarks.shop import CUSTOMERS, batch
from benchmarks.size import Size
from shared.ids import new_id

_BATCH = 100
_PROCESSES = ("gateway", "points-api", "points-worker", "metrics-worker", "notifications-worker")
_SLOPE_MAX = 20.0


def memory(machine: Machine, size: Size) -> list[Row]:
    """Resident MB by process over `memory_events` events through the whole platform, until every service has done them.

    A short run judges nothing: it shows how they warm up."""
    assert machine.description is not None
    seen: list[tuple[int, dict[str, float]]] = []
    finished = threading.Event()
    watching = threading.Thread(target=_watch, args=(machine, seen, finished))
    watching.start()
    sent = 0
    try:
        while sent < size.memory_events:
            given = batch(_BATCH, "@mark@", CUSTOMERS)
            done = load.post(
                machine.description.base_url, "/v1/purchases/batch", given, machine.description.api_key, 5,
                f"m-{new_id().hex}", connections=4, cores=ALL_CORES,
            )  # fmt: skip
            sent += done.requests * _BATCH
        wait_until_done(machine)
    finally:
        finished.set()
        watching.join()
    half = seen[len(seen) // 2 :]
    slopes = {
        f"{name}_mb_per_million": statistics.linear_regression([at for at, _ in half], [mb[name] for _, mb in half])[0]
        * 1e6
        for name in _PROCESSES
    }
    resident = {f"{name}_mb": seen[-1][1][name] for name in _PROCESSES}
    worst = max(slopes.values())
    return [
        Row("memory", "steepest growth of a process, second half", "none", "MB per million events", worst, None, worst,
            (min(slopes.values()), worst), 1, None if size.quick else Goal(_SLOPE_MAX, 1.0, smaller=True),
            {"events": sent, **resident, **slopes})
    ]  # fmt: skip


def _watch(machine: Machine, seen: list[tuple[int, dict[str, float]]], finished: threading.Event) -> None:
    processes = {name: psutil.Process(machine.pid(name)) for name in _PROCESSES}
    while not finished.wait(1.0):
        seen.append(
            (events_done(machine), {name: process.memory_info().rss / 2**20 for name, process in processes.items()})
        )
