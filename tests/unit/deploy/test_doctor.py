"""What the doctor makes of what it finds."""

from pathlib import Path

import pytest

from deploy.doctor import books, log, machine, stack
from deploy.doctor.books import Book
from deploy.local.supervisor import ProcessState
from shared.messaging.topics import Topic

GB = 1024**3
WELL = Book("points", "0004", "0004")


@pytest.mark.parametrize(("free", "state"), [(9 * GB, "ok"), (4 * GB, "warn"), (1 * GB, "fail")])
def test_room_on_the_disk(free: int, state: str) -> None:
    found = machine.disk_finding(free, Path("/x"))
    assert (found.state, found.next_step is None) == (state, state == "ok")


@pytest.mark.parametrize(("kilobytes", "state"), [(9_000_000, "ok"), (900_000, "warn"), (None, "unknown")])
def test_room_in_memory(tmp_path: Path, kilobytes: int | None, state: str) -> None:
    source = tmp_path / "meminfo"
    source.write_text(f"MemTotal: 99 kB\nMemAvailable: {kilobytes} kB\n" if kilobytes else "")
    assert machine.memory_finding(source).state == state


@pytest.mark.parametrize(("apart_s", "state"), [(0.2, "ok"), (-0.9, "ok"), (1.5, "warn"), (-3600.0, "warn")])
def test_clocks(apart_s: float, state: str) -> None:
    assert books.clock_finding(apart_s).state == state


def test_a_schema_that_is_behind_or_not_there_at_all_is_named_with_the_command() -> None:
    found = books.migrations([WELL, Book("metrics", "0003", "0004"), Book("gateway", None, "0002")])
    assert (found.state, found.next_step) == ("fail", "treue migrate")
    assert found.found == "metrics is at 0003, wants 0004; gateway is at nothing, wants 0002"
    assert books.migrations([WELL]).state == "ok"


def test_what_lies_and_what_waits() -> None:
    ill = Book("points", "0004", "0004", dead=2, parked=3, outbox_age_s=90.0)
    letters = books.dead_letters([WELL, ill])
    assert (letters.state, letters.next_step) == ("fail", "treue dead-letters list --service points")
    assert books.parked([ill]).state == "warn"
    assert books.outbox([ill]).state == "fail"
    assert {check([WELL]).state for check in (books.dead_letters, books.parked, books.outbox)} == {"ok"}


def test_topics_that_are_missing_or_have_other_partitions() -> None:
    declared = [Topic("a", 6, {}), Topic("b", 6, {})]
    assert log.topics_finding(declared, {"a": 6, "b": 6}).state == "ok"
    missing = log.topics_finding(declared, {"a": 6})
    assert (missing.state, missing.found, missing.next_step) == ("fail", "missing: b", "treue topics")
    assert "b has 12 partitions, not 6" in log.topics_finding(declared, {"a": 6, "b": 12}).found


@pytest.mark.parametrize(("unread", "state"), [({}, "ok"), ({"points": 1000}, "ok"), ({"points": 1001}, "warn")])
def test_lag(unread: dict[str, int], state: str) -> None:
    assert log.lag_finding(unread).state == state


def test_processes() -> None:
    def process(name: str, state: str) -> ProcessState:
        return ProcessState(name=name, state=state, pid=1, uptime_s=1, note="")

    assert stack.processes([]).state == "warn"
    assert stack.processes([process("gateway", "RUNNING")]).state == "ok"
    found = stack.processes([process("gateway", "RUNNING"), process("points-worker-1", "FATAL")])
    assert (found.state, found.found) == ("fail", "points-worker-1 is FATAL")
    assert found.next_step == "treue logs points-worker-1, then treue restart points-worker-1"
