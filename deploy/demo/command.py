"""`treue demo`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.demo.answers import Answer, answers_to
from deploy.demo.cdnow import Purchase, read_sample
from deploy.demo.client import ShopClient
from deploy.demo.figures import Figures, of_file
from deploy.demo.replay import Replay
from deploy.demo.report import comparison, differing, months, next_steps
from deploy.demo.tenant import TENANT, ensure_key
from deploy.local.stack import LocalStack
from deploy.output import progress, show


@dataclass(frozen=True)
class Replayed:
    """What came of a run."""

    api_key: str
    figures: Figures
    by_month: Sequence[int]


def demo() -> None:
    """Replay a real purchase log (CDNOW, 6,919 purchases of 2,357 customers) and compare every figure with the file.
    Doing it again changes no number."""
    stack = LocalStack.chosen(progress())
    purchases = read_sample()
    answers = answers_to(purchases)
    replayed = _replay(stack, purchases, answers)
    found, file = replayed.figures, of_file(purchases, answers)
    spent: Counter[str] = Counter()
    for each in purchases:
        spent[each.customer_id] += each.total_minor
    counts = {name: found[name] for name in ("customers", "purchases", "feedback", "points")}
    show(
        {"tenant": TENANT, "api_key": replayed.api_key} | counts,
        "",
        comparison(found, file),
        months(replayed.by_month),
        "",
        next_steps(stack.addresses.api("gateway"), replayed.api_key, spent.most_common(1)[0][0]),
    )
    if differing(found, file):
        raise typer.Exit(1)


def _replay(stack: LocalStack, purchases: Sequence[Purchase], answers: Sequence[Answer]) -> Replayed:
    api_key = ensure_key(stack)
    with _bars() as bars:
        replay = Replay(ShopClient(stack.addresses.api("gateway"), api_key), bars)
        last_events = replay.send(purchases, answers)
        replay.wait_for_metrics(len(purchases), len(answers))
        points = replay.points(last_events)
    return Replayed(api_key, replay.figures(points), replay.by_month())


def _bars() -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=progress(),
    )
