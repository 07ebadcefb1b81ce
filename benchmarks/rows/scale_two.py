"""Two workers against one."""

from benchmarks import posting_runs
from benchmarks.auditing import require_right_books
from benchmarks.harness import Goal, Row, Sample, in_turn, row
from benchmarks.machine import Machine
from benchmarks.size import Size


def scale_two(machine: Machine, size: Size) -> Row:
    """The ratio is the speed-up; the limit is 2."""

    def post(workers: int) -> Sample:
        with machine.database("points") as database:
            posting_runs.open_shop(database, "points")
            found = posting_runs.run(machine, database, "points", size.events, workers)
            require_right_books(database, "points")
            return found

    pairs = in_turn(size.rounds, lambda: post(2), lambda: post(1))
    what = "points, two workers on disjoint partitions"
    return row("scale_two", what, "one worker; 2.0 is the most", "events/s", pairs, Goal(1.6, 1.9))
