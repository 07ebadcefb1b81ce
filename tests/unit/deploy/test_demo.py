"""The demo's data: what the file holds, the same events in every run, and an honest comparison."""

import hashlib
import io
from collections import Counter
from decimal import Decimal
from pathlib import Path

from rich.console import Console

import deploy.demo.cdnow
from deploy.demo.answers import answers_to
from deploy.demo.cdnow import read_sample
from deploy.demo.figures import LABELS, of_file
from deploy.demo.report import comparison, differing, months

FILE = Path(deploy.demo.cdnow.__file__).parent / "data" / "cdnow_sample.txt"


def test_the_file_is_the_published_one() -> None:
    digest = hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert digest == "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a"


def test_every_line_is_one_purchase() -> None:
    lines = [line.split() for line in FILE.read_text().splitlines()]
    purchases = read_sample()

    assert len({each.order_id for each in purchases}) == len({each.body["event_id"] for each in purchases}) == 6_919
    assert sum(each.total_minor for each in purchases) == sum(Decimal(line[4]) for line in lines) * 100
    assert Counter(each.customer_id for each in purchases) == Counter(f"cdnow-{line[1]}" for line in lines)
    assert Counter(f"{each.occurred_at:%Y%m%d}" for each in purchases) == Counter(line[2] for line in lines)
    assert [each.occurred_at for each in purchases] == sorted(each.occurred_at for each in purchases)


def test_lines_sum_up_to_their_total() -> None:
    for each in read_sample():
        (line,) = each.body["lines"]  # type: ignore[misc]
        paid = line["quantity"] * Decimal(line["unit_price"]) - Decimal(line["discount"])
        assert paid == Decimal(str(each.body["total"]))
        assert Decimal(line["discount"]) < line["quantity"]


def test_answers_are_the_same_in_every_run() -> None:
    purchases = read_sample()
    answers = answers_to(purchases)
    bodies = repr([each.body for each in answers])

    assert answers == answers_to(purchases)
    assert hashlib.sha256(bodies.encode()).hexdigest()[:16] == "63f136d87edd99e9"
    assert len({each.customer_id for each in answers}) == len(answers)
    assert {each.score for each in answers} <= set(range(11))


def test_figures_of_the_file() -> None:
    purchases = read_sample()
    found = of_file(purchases, answers_to(purchases))

    assert set(found) == set(LABELS)
    assert (found["customers"], found["purchases"], found["revenue"]) == (2_357, 6_919, "244091.94")


def test_what_differs_is_said() -> None:
    purchases = read_sample()
    file = of_file(purchases, answers_to(purchases))
    platform = {**file, "points": 0, "nps": None}
    shown = io.StringIO()
    Console(width=100, file=shown).print(comparison(platform, file), months([0, 3, 9]), months([]))

    assert not differing(file, file)
    assert differing(platform, file) == ["nps", "points"]
    assert shown.getvalue().count("differs") == 2
