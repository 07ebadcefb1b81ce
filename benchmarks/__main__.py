"""`python -m benchmarks [names]`: measure, print a table, write results.json and docs/performance.md."""

import asyncio
import platform as host
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
from rich.console import Console

from benchmarks import load, report
from benchmarks.auditing import verify_row
from benchmarks.customers import introduce
from benchmarks.harness import Row
from benchmarks.machine import Machine, platform, servers
from benchmarks.rows.balance import balance
from benchmarks.rows.end_to_end import end_to_end
from benchmarks.rows.growth import growth
from benchmarks.rows.memory import ingest_and_memory
from benchmarks.rows.peers import peers
from benchmarks.rows.posting import consuming_row
from benchmarks.rows.scale_two import scale_two
from benchmarks.shop import CUSTOMERS, fill_topic
from benchmarks.size import Size, chosen
from deploy.local.folder import PROJECT

Rows = list[Row]

# In this order: the topic that the first group reads holds just the events that were put there.
_CONSUMING: dict[str, Callable[[Machine, Size], Rows]] = {
    "posting": lambda machine, size: [consuming_row(machine, size, "points")],
    "metrics_fold": lambda machine, size: [consuming_row(machine, size, "metrics")],
    "scale_two": scale_two,
    "peers": peers,
    "growth": growth,
}
_SERVING: dict[str, Callable[[Machine, Size], Rows]] = {
    "end_to_end": end_to_end,
    "balance": balance,
    "ingest": ingest_and_memory,
}


def main(names: list[str]) -> None:
    """Run those named, or all."""
    console, size = Console(), chosen()
    unknown = set(names) - _CONSUMING.keys() - _SERVING.keys()
    if unknown:
        sys.exit(
            f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join([*_CONSUMING, *_SERVING])}."
        )
    if not load.available() and (not names or _SERVING.keys() & set(names)):
        sys.exit(
            f"{', '.join(_SERVING)} send their load by wrk, which is not installed: apt-get install wrk."
            f" Without it, name those that need none: python -m benchmarks {' '.join(_CONSUMING)}"
        )
    started = time.monotonic()
    rows: Rows = []
    for found in _measured(console, size, names):
        rows += found
        report.show(console, found)
        report.save(rows, _run(size, started))
    report.show(console, rows)
    console.print(f"[dim]{time.monotonic() - started:.0f} s[/]")


def _measured(console: Console, size: Size, names: list[str]) -> Iterator[Rows]:
    consuming = {name: measure for name, measure in _CONSUMING.items() if not names or name in names}
    serving = {name: measure for name, measure in _SERVING.items() if not names or name in names}
    if consuming:
        with servers(console) as machine:
            asyncio.run(fill_topic(machine.kafka, size.events, CUSTOMERS, "first"))
            for name, measure in consuming.items():
                yield _timed(console, name, lambda measure=measure: measure(machine, size))
    if serving:
        with platform(console) as machine:
            introduce(machine)
            for name, measure in serving.items():
                yield _timed(console, name, lambda measure=measure: measure(machine, size))
            yield _timed(console, "verify", lambda: [verify_row(machine)])


def _timed(console: Console, name: str, measure: Callable[[], Rows]) -> Rows:
    console.print(f"[dim]{name} ...[/]")
    started = time.monotonic()
    rows = measure()
    console.print(f"[dim]{name} took {time.monotonic() - started:.0f} s[/]")
    return rows


def _run(size: Size, started: float) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=PROJECT
    )
    return {
        "mode": "quick" if size.quick else "full",
        "seconds": round(time.monotonic() - started),
        "commit": commit.stdout.strip(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": host.python_version(),
        "load_at_end": psutil.getloadavg()[0],
    }


if __name__ == "__main__":
    main(sys.argv[1:])
