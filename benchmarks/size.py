"""How much a run measures."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """`quick` is for every day: the ratios of a full run differ from its own by a tenth or two."""

    quick: bool
    rounds: int
    events: int  # in the topic, for everything that consumes
    growth: tuple[int, ...]  # entries that are there already
    growth_events: int
    seconds: float  # of one measurement over HTTP
    memory_events: int


QUICK = Size(True, rounds=2, events=30_000, growth=(10_000, 200_000), growth_events=20_000, seconds=2.0,
             memory_events=60_000)  # fmt: skip
FULL = Size(False, rounds=5, events=60_000, growth=(10_000, 100_000, 1_000_000, 5_000_000), growth_events=30_000,
            seconds=2.0, memory_events=1_000_000)  # fmt: skip


def chosen() -> Size:
    return QUICK if os.environ.get("QUICK", "") not in {"", "0"} else FULL
