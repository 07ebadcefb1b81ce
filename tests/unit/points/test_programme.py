"""Which version rates a purchase, and when its points can be spent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.application.programmes import Change, publish
from services.points.application.quotes import Basket, quote
from services.points.domain.programme import at_instant, in_force, scheduled
from shared.errors import InvalidError
from tests.support.points import NOON
from tests.support.points_memory import TX, Memory, MemoryProgrammes
from tests.unit.points.test_laws import programme

DAY = timedelta(days=1)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
# Published on the first of each month; the third is effective from the middle of the first's time.
VERSIONS = [
    replace(programme(), version=1, effective_from=FIRST, recorded_at=FIRST),
    replace(programme(), version=2, effective_from=FIRST + 31 * DAY, recorded_at=FIRST + 31 * DAY),
    replace(programme(), version=3, effective_from=FIRST + 15 * DAY, recorded_at=FIRST + 59 * DAY),
]


@pytest.mark.parametrize(
    ("stamp", "day", "taken_in_day", "version"),
    [
        (1, 40, 40, 1),  # taken in before the gateway had heard of the second
        (2, 40, 40, 2),
        (2, 20, 40, 1),  # bought when only the first was effective
        (3, 20, 70, 3),  # a correction reaches back as far as it says
        (3, 10, 70, 1),
        (3, -400, 70, 1),  # older than all of them
        (0, 40, 40, 2),  # not stamped: what was published when it was taken in
        (0, 20, 40, 1),
        (0, 20, 70, 3),
        (9, 20, 70, 3),  # a stamp that is ahead of us knows them all
        (3, 40, 70, 2),  # a correction of an earlier time does not undo what is effective from later on
    ],
)
def test_the_version_in_force(stamp: int, day: int, taken_in_day: int, version: int) -> None:
    found = in_force(VERSIONS, stamp, FIRST + day * DAY, FIRST + taken_in_day * DAY)
    assert found.version == version


@given(st.integers(1, 3), st.integers(-10, 80), st.integers(0, 3))
def test_what_is_published_later_changes_no_choice(stamp: int, day: int, more: int) -> None:
    at = FIRST + day * DAY
    known = VERSIONS[: max(stamp, 3 - more)]
    assert in_force(known, stamp, at, at).version == in_force(VERSIONS, stamp, at, at).version


@given(st.permutations(range(5)), st.integers(-3, 60))
def test_the_order_of_publishing_changes_no_choice(order: list[int], day: int) -> None:
    """Versions effective on days 0, 10 .. 40, published in any order: the latest one that is effective rates."""
    versions = [
        replace(programme(), version=number, effective_from=FIRST + 10 * days * DAY, recorded_at=FIRST)
        for number, days in enumerate(order, 1)
    ]
    found = in_force(versions, 5, FIRST + day * DAY, FIRST)
    if day >= 0:
        assert found.effective_from == FIRST + min(day // 10, 4) * 10 * DAY
    for at in (FIRST + day * DAY, FIRST - DAY):
        assert [each.effective_from for each in scheduled(versions, at)] == sorted(
            each.effective_from for each in versions if each.effective_from > at
        )


@given(st.permutations([{"name": "new"}, {"points_per_unit": Decimal(3), "effective_from": NOON + 30 * DAY}]))
async def test_a_scheduled_change_waits_for_its_time_whatever_is_changed_meanwhile(
    changes: list[dict[str, Any]],
) -> None:
    table = MemoryProgrammes(Memory({"shop": [replace(programme(), effective_from=NOON - DAY)]}))
    for change in changes:
        await publish(TX, table, (await table.versions(TX, ["shop"]))["shop"], "shop", Change(**change), "test")
    versions = (await table.versions(TX, ["shop"]))["shop"]
    now, later = at_instant(versions, NOON).terms, at_instant(versions, NOON + 30 * DAY).terms
    assert (now.name, int(now.points_per_unit), int(later.points_per_unit)) == ("new", 1, 3)
    assert [each.terms for each in scheduled(versions, NOON)] == [later]


async def test_a_change_of_today_is_in_force_even_after_another_one_of_today() -> None:
    table = MemoryProgrammes(Memory({"shop": [replace(programme(), effective_from=NOON - timedelta(hours=1))]}))
    known = (await table.versions(TX, ["shop"]))["shop"]
    published, _ = await publish(TX, table, known, "shop", Change(points_per_unit=Decimal(2)), "test")
    assert at_instant((await table.versions(TX, ["shop"]))["shop"], NOON) == published


def test_a_delay_counts_days_on_the_tenants_clock() -> None:
    terms = replace(programme().terms, activation_delay_days=14)
    before_summer_time = datetime(2026, 3, 20, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    assert terms.activates_at(before_summer_time) == datetime(2026, 4, 3, 22, 30, tzinfo=UTC)
    assert replace(terms, activation_delay_days=0).activates_at(before_summer_time) == before_summer_time


def test_a_quote_tells_points_shares_and_what_was_lost() -> None:
    found = quote(VERSIONS, Basket(4990, "EUR", [("a", 2000), ("b", 2990)]), FIRST + 70 * DAY)
    assert (found.points, f"{found.lost}", found.lines) == (49, "0.90", [("a", 20), ("b", 29)])
    assert found.programme.version == 2
    for refused in (Basket(4990, "USD"), Basket(10**14 + 100, "EUR")):
        with pytest.raises(InvalidError):
            quote(VERSIONS, refused, FIRST)
    assert quote(VERSIONS, Basket(10**14, "EUR"), FIRST).points == 10**12
