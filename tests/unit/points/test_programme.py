"""Which version rates a purchase, and when its points can be spent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.points.application.programmes import Change, publish
from services.points.application.quotes import QuotedLine, quote
from services.points.domain.programme import at_instant, in_force, scheduled
from shared.errors import InvalidError
from shared.events.purchases import PurchaseCompleted, PurchaseLine
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
    cart = PurchaseCompleted(
        occurred_at=FIRST + 70 * DAY,
        order_id="quote",
        currency="EUR",
        total_minor=4990,
        lines=(
            PurchaseLine(line_id="a", sku="a", quantity=1, unit_price_minor=2000),
            PurchaseLine(line_id="b", sku="b", quantity=1, unit_price_minor=3090, paid_minor=2990),
        ),
    )
    found = quote(VERSIONS, cart, FIRST + 70 * DAY)
    assert (found.points, f"{found.lost}") == (49, "0.90")
    assert found.lines == [QuotedLine("a", 2000, 20), QuotedLine("b", 2990, 29)]
    assert found.programme.version == 2
    for refused in (structs.replace(cart, currency="USD"), structs.replace(cart, total_minor=10**14 + 100)):
        with pytest.raises(InvalidError):
            quote(VERSIONS, refused, FIRST)
    assert quote(VERSIONS, structs.replace(cart, total_minor=10**14), FIRST).points == 10**12


def test_a_quote_of_an_earlier_purchase_is_rated_as_that_would_be() -> None:
    then = PurchaseCompleted(occurred_at=FIRST, order_id="quote", currency="EUR", total_minor=4990, lines=())
    assert quote(VERSIONS, then, FIRST + 70 * DAY).programme.version == 1
