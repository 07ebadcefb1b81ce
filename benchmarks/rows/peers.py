"""The same records through what others would write: the idiom of the tutorials, and its handler in FastStream."""

import json
import subprocess
import sys

from benchmarks import posting_runs
from benchmarks.harness import Row, Sample, cpu_s, row
from benchmarks.machine import Machine
from benchmarks.size import Size
from deploy.local.folder import PROJECT

_EVENTS, _EVENTS_QUICK = 750, 500


def peers(machine: Machine, size: Size) -> list[Row]:
    """`tutorial` and `faststream`: the ratio says how much of our rate they reach."""
    rounds = [
        (_theirs(machine, size, "tutorial"), _theirs(machine, size, "faststream_peer"), _ours(machine, size))
        for _ in range(size.rounds)
    ]
    ours_is = "posting, one worker of ours, the same records"
    return [
        row("tutorial", "aiokafka loop, one SQLAlchemy ORM transaction an event", ours_is, "events/s",
            [(tutorial, ours) for tutorial, _, ours in rounds], None),
        row("faststream", "FastStream, the same handler", ours_is, "events/s",
            [(faststream, ours) for _, faststream, ours in rounds], None),
    ]  # fmt: skip


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
