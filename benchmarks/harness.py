"""Rounds, medians, ratios: ours and the limit take turns, so that a noisy machine is noisy for both."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil


@dataclass(frozen=True)
class Sample:
    """One measurement: the rate that counts, and whatever else is worth knowing of it."""

    rate: float
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """The ratio (or the milliseconds, where `smaller`) that has to be reached, and what is wanted in the end."""

    reach: float
    aim: float
    smaller: bool = False

    def is_reached(self, value: float) -> bool:
        return value <= self.reach if self.smaller else value >= self.reach


@dataclass(frozen=True)
class Row:
    """A benchmark's result. `ratio` is the median of the rounds' own ratios, `spread` the smallest and the greatest."""

    name: str
    what: str
    limit_is: str
    unit: str
    ours: float
    limit: float | None
    ratio: float
    spread: tuple[float, float]
    rounds: int
    goal: Goal | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        reached = None if self.goal is None else self.goal.is_reached(self.ratio)
        return {name: value for name, value in asdict(self).items() if name != "name"} | {"reached": reached}


def in_turn(rounds: int, ours: Callable[[], Sample], limit: Callable[[], Sample]) -> list[tuple[Sample, Sample]]:
    """A B A B ...; pairs of what was measured next to each other."""
    return [(ours(), limit()) for _ in range(rounds)]


def row(
    name: str, what: str, limit_is: str, unit: str, pairs: Sequence[tuple[Sample, Sample]], goal: Goal | None
) -> Row:
    """Medians of the rounds."""
    ratios = [ours.rate / limit.rate for ours, limit in pairs]
    return Row(
        name, what, limit_is, unit,
        ours=statistics.median(ours.rate for ours, _ in pairs),
        limit=statistics.median(limit.rate for _, limit in pairs),
        ratio=statistics.median(ratios), spread=(min(ratios), max(ratios)), rounds=len(pairs), goal=goal,
        details=medians([ours for ours, _ in pairs])
        | {f"limit_{key}": value for key, value in medians([limit for _, limit in pairs]).items()},
    )  # fmt: skip


def medians(samples: Sequence[Sample]) -> dict[str, float]:
    """The median of each detail that all samples have."""
    names = [name for name in samples[0].details if all(name in each.details for each in samples)]
    return {name: statistics.median(each.details[name] for each in samples) for name in names}


def cpu_s(pid: int) -> float:
    """CPU-seconds of a process and all below it, those included that have ended and been waited for."""
    total = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if process.pid == root.pid:
            total += times.children_user + times.children_system
    return total
