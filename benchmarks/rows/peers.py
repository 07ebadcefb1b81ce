"""The same records through what others would write: the idiom of the tutorials, and its handler in FastStream."""

import json
import subprocess
import sys

from benchmarks import posting_runs
from benchmarks.harness import Row, Sample, cpu_s, in_turn, row
from benchmarks.machine import Machine
from benchmarks.size import Size
from deploy.local.folder import PROJECT

_EVENTS, _EVENTS_QUICK = 1_500, 500


def peers(machine: Machine, size: Size) -> list[Row]:
    """`tutorial` and `faststream`: the ratio says how much of our rate they reach."""
    return [
        _beside_ours(machine, size, "tutorial", "aiokafka loop, one SQLAlchemy ORM transaction an event"),
        _beside_ours(machine, size, "faststream_peer", "FastStream, the same handler"),
    ]


def _beside_ours(machine: Machine, size: Size, module: str, what: str) -> Row:
    pairs = in_turn(2 if size.quick else 5, lambda: _theirs(machine, size, module), lambda: _ours(machine, size))
    return row(
        module.removesuffix("_peer"), what, "posting, one worker of ours, the same records", "events/s", pairs, None
    )


def _theirs(machine: Machine, size: Size, module: str) -> Sample:
    count = _EVENTS_QUICK if size.quick else _EVENTS
    with machine.database("points") as database:
        before = cpu_s(machine.pid("postgres"))
        command = [sys.executable, "-m", f"benchmarks.{module}", database.owner, machine.kafka, str(count)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, check=True, timeout=300)
        spent = (cpu_s(machine.pid("postgres")) - before) / count
        return Sample(json.loads(done.stdout), {"postgres_us": spent * 1e6})


def _ours(machine: Machine, size: Size) -> Sample:
    with machine.database("points") as database:
        posting_runs.open_shop(database, "points")
        return posting_runs.run(machine, database, "points", size.events)
