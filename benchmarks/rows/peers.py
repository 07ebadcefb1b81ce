"""The same records through the idiom of the tutorials."""

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
    """`tutorial`: the ratio says how much of our rate it reaches."""
    count = _EVENTS_QUICK if size.quick else _EVENTS

    def tutorial() -> Sample:
        with machine.database("points") as database:
            before = cpu_s(machine.pid("postgres"))
            command = [sys.executable, "-m", "benchmarks.tutorial", database.owner, machine.kafka, str(count)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, check=True)
            spent = (cpu_s(machine.pid("postgres")) - before) / count
            return Sample(json.loads(done.stdout), {"postgres_us": spent * 1e6})

    def ours() -> Sample:
        with machine.database("points") as database:
            posting_runs.open_shop(database, "points")
            return posting_runs.run(machine, database, "points", size.events)

    pairs = in_turn(2 if size.quick else 3, tutorial, ours)
    what = "aiokafka loop, one SQLAlchemy ORM transaction an event"
    return [row("tutorial", what, "posting, one worker of ours, the same records", "events/s", pairs, None)]
