"""Two workers against one."""

from benchmarks import posting_runs, quota
from benchmarks.auditing import require_right_books
from benchmarks.harness import Goal, Row, Sample, in_turn, row
from benchmarks.machine import Machine
from benchmarks.size import Size

_PART = 0.3  # of a core: two such workers leave Postgres and Kafka what they need
_QUOTA_ROUNDS = 2  # they are slow, on purpose
_WHAT = "points, two workers on disjoint partitions"
_LIMIT = "one worker; 2.0 is the most"


def scale_two(machine: Machine, size: Size) -> list[Row]:
    """The ratio is the speed-up; the limit is 2. `scale_two_quota` where control groups can be made: each worker has
    just a part of a core, as if there were cores enough."""
    pairs = in_turn(size.rounds, lambda: _post(machine, size.events, 2), lambda: _post(machine, size.events, 1))
    rows = [row("scale_two", _WHAT, _LIMIT, "events/s", pairs, Goal(1.6, 1.9))]
    if quota.available():
        rows.append(_with_quota(machine, size))
    return rows


def _with_quota(machine: Machine, size: Size) -> Row:
    def post(workers: int) -> Sample:
        with quota.quota(_PART) as part:
            return _post(machine, size.events, workers, part)

    pairs = in_turn(min(size.rounds, _QUOTA_ROUNDS), lambda: post(2), lambda: post(1))
    return row("scale_two_quota", f"{_WHAT}, {_PART} of a core each", _LIMIT, "events/s", pairs, Goal(1.6, 1.9))


def _post(machine: Machine, events: int, workers: int, part: quota.Quota | None = None) -> Sample:
    with machine.database("points") as database:
        posting_runs.open_shop(database, "points")
        hold = part.hold if part else lambda _: None
        found = posting_runs.run(machine, database, "points", events, workers, hold=hold)
        require_right_books(database, "points")
        return found
