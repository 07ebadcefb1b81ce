"""Posting and folding: from records in Kafka to committed rows, beside COPY of those same rows."""

import asyncio

from benchmarks import copying, posting_runs
from benchmarks.auditing import require_right_books
from benchmarks.harness import Goal, Row, Sample, cpu_s, row
from benchmarks.machine import Machine
from benchmarks.size import Size

_GOALS = {"points": ("posting", Goal(0.40, 0.75)), "metrics": ("metrics_fold", Goal(0.30, 0.60))}
_LIMIT = "binary COPY of the same rows into the same tables and indexes, 2,000 events a transaction"


def consuming_row(machine: Machine, size: Size, service: str) -> Row:
    """`posting` or `metrics_fold`."""
    name, goal = _GOALS[service]
    pairs = [_pair(machine, service, size.events) for _ in range(size.rounds)]
    what = f"one {service} worker, Kafka to committed"
    return row(name, what, _LIMIT, "events/s", pairs, goal)


def _pair(machine: Machine, service: str, events: int) -> tuple[Sample, Sample]:
    with machine.database(service) as ours, machine.database(service) as limit:
        posting_runs.open_shop(ours, service)
        posted = posting_runs.run(machine, ours, service, events)
        require_right_books(ours, service)
        chunks = asyncio.run(copying.rows_of(ours.admin, service))
        asyncio.run(posting_runs.execute(limit.admin, service, "CHECKPOINT"))
        before = cpu_s(machine.pid("postgres"))
        seconds = asyncio.run(copying.copy(limit.app, chunks))
        copied = Sample(events / seconds, {"postgres_us": (cpu_s(machine.pid("postgres")) - before) / events * 1e6})
        return posted, copied
