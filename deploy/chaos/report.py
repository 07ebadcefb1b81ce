"""What is said of a run, in Markdown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deploy.chaos.load import Memory


@dataclass(frozen=True)
class Endured:
    """A fault that is over. `slowest_answer_s`: of the gateway, while it lasted and until the platform was ready."""

    name: str
    ready_after_s: float
    slowest_answer_s: float


@dataclass(frozen=True)
class Run:
    """A run that is over. `quarrels`: how many orders a shop contradicted itself about. `drift` is None when the judge
    found nothing."""

    seed: int
    minutes: float
    endured: Sequence[Endured]
    memory: Memory
    quarrels: int
    pauses_s: Sequence[float]
    drift: str | None

    @property
    def faults(self) -> dict[str, int]:
        """How often each was done."""
        return dict(sorted(Counter(each.name for each in self.endured).items()))

    def markdown(self) -> str:
        """The report."""
        memory = self.memory
        refusals = ", ".join(f"{count} x {status}" for status, count in sorted(memory.refusals.items())) or "none"
        figures = {
            "faults": str(len(self.endured)),
            "events acknowledged": f"{memory.sent} ({len(memory.events)} different)",
            "orders about which a shop contradicted itself in two partitions": str(self.quarrels),
            "answers before that which were no acknowledgement": refusals,
            "slowest acknowledgement, with all repeats": f"{memory.slowest_s:.1f} s",
            "slowest single answer": f"{memory.slowest_answer_s:.1f} s",
            "ready again after a fault, p50 / worst": p50_and([each.ready_after_s for each in self.endured], 1.0),
            "a partition stood still while changing hands, p50 / p99": p50_and(self.pauses_s, 0.99),
            "drift": self.drift or "0",
        }
        return "\n".join(
            [
                f"`treue chaos --minutes {self.minutes:g} --seed {self.seed}`",
                "",
                *_table(("what", "measured"), figures.items()),
                "",
                *_table(("fault", "times", "slowest single answer"), self._rows()),
            ]
        )

    def _rows(self) -> list[tuple[str, ...]]:
        slowest = {
            name: max(each.slowest_answer_s for each in self.endured if each.name == name) for name in self.faults
        }
        return [(name, str(count), f"{slowest[name]:.1f} s") for name, count in self.faults.items()]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows)]


def p50_and(values: Sequence[float], share: float) -> str:
    ordered = sorted(values)
    if not ordered:
        return "-"
    return " / ".join(f"{ordered[min(len(ordered) - 1, int(len(ordered) * at))]:.1f} s" for at in (0.5, share)) + (
        f" ({len(ordered)} times)"
    )
