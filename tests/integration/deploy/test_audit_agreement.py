"""Points and metrics are compared while both go on; only what one of them is just dealing with is left out."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tests.integration.deploy.both_books import ORDER_IN_METRICS, ORDER_IN_POINTS, PROGRAMME, Books, opened

__all__ = ["opened"]

_DEAD = """
    INSERT INTO points.dead_letter (id, tenant, event_id, topic, part, off, record_key, headers, record_time, error,
        detail, code_version, blocks_key, created_at)
    VALUES (gen_random_uuid(), 't', $1, 'treue.purchases', 0, $2, 'k', '[]', now(), 'e', 'd', 'v', false, now())
"""


async def test_a_difference_is_found_while_positions_differ(opened: Books) -> None:
    assert (await opened.orders()).differing == 0
    await opened.connection.execute("UPDATE metrics.shop_order SET gross_minor = 99 WHERE order_id = 'o-3'")
    found = await opened.orders()
    assert [row["order_id"] for row in found.rows] == ["o-3"]
    assert (found.counted, found.left_out) == (5, 0)


@pytest.mark.parametrize(
    "change",
    [
        "customer = 'bob' WHERE order_id = 'o-3'",
        "customer = NULL WHERE order_id = 'o-3'",
        "customer = 'bob' WHERE order_id = 'o-2'",
        "occurred_at = occurred_at + interval '1 day' WHERE order_id = 'o-2'",
    ],
)
async def test_whose_it_is_and_when_it_was_are_compared(opened: Books, change: str) -> None:
    await opened.connection.execute(f"UPDATE metrics.shop_order SET {change}")
    found = await opened.orders()
    assert [row["order_id"] for row in found.rows] == [change[-4:-1]]


_REFUND = "INSERT INTO metrics.refund VALUES ('t', 'o-1', gen_random_uuid(), NULL, 1, $1, $2, false)"
_ANSWER = "INSERT INTO metrics.feedback VALUES ('t', gen_random_uuid(), 'ada', 'nps', 9, $1, $2)"
_ORDER = "UPDATE metrics.shop_order SET occurred_at = $1, business_date = $2 WHERE order_id = 'o-1'"


@pytest.mark.parametrize("written", [_REFUND, _ANSWER, _ORDER])
async def test_what_counts_on_another_day_is_found(opened: Books, written: str) -> None:
    evening, first = datetime(2026, 3, 1, 22, 59, tzinfo=UTC), date(2026, 3, 1)
    await opened.connection.execute(written, evening - timedelta(hours=2), first)
    assert (await opened.found("days_agree_with_points")).differing == 0
    await opened.connection.execute(written, evening - timedelta(hours=2), first + timedelta(days=1))
    await opened.connection.execute(written, evening + timedelta(hours=2), first)
    assert (await opened.found("days_agree_with_points")).differing == (1 if written is _ORDER else 2)


async def test_days_of_an_earlier_time_zone_stand(opened: Books) -> None:
    tokyo = datetime(2026, 3, 1, 18, tzinfo=UTC), date(2026, 3, 2)
    await opened.connection.execute(_ORDER, *tokyo)
    assert (await opened.found("days_agree_with_points")).differing == 1
    await opened.connection.execute(PROGRAMME, 2, "Asia/Tokyo")
    assert (await opened.found("days_agree_with_points")).differing == 0


async def test_days_of_a_time_zone_that_the_database_does_not_know_are_left_out(opened: Books) -> None:
    await opened.connection.execute(PROGRAMME, 2, "Mars/Olympus")
    found = await opened.found("days_agree_with_points")
    assert (found.counted, found.left_out, found.differing) == (0, 5, 0)


async def test_a_purchase_that_one_has_passed_alone_is_left_out(opened: Books) -> None:
    await opened.passed("metrics", 11, "o-11", 11)
    await opened.order(ORDER_IN_METRICS, 11)
    found = await opened.orders()
    assert (found.counted, found.left_out, found.differing) == (5, 1, 0)


async def test_a_cancellation_that_one_has_passed_alone_leaves_its_order_out(opened: Books) -> None:
    await opened.passed("metrics", 11, "o-2", 11)
    await opened.connection.execute("UPDATE metrics.shop_order SET cancelled = true WHERE order_id IN ('o-2', 'o-4')")
    found = await opened.orders()
    assert [row["order_id"] for row in found.rows] == ["o-4"]
    assert (found.counted, found.left_out) == (4, 1)


async def test_what_points_has_passed_alone_is_left_out_too(opened: Books) -> None:
    await opened.connection.execute("UPDATE metrics.consumer_offset SET next_offset = 8")
    await opened.passed("points", 9, "o-9", 9)
    await opened.order(ORDER_IN_POINTS, 9)
    found = await opened.orders()
    assert (found.counted, found.left_out, found.differing) == (5, 1, 0)


async def test_an_order_of_a_dead_letter_is_left_out(opened: Books) -> None:
    await opened.connection.execute(_DEAD, UUID(int=7), 7)
    await opened.passed("metrics", 7, "o-7", 7)
    await opened.order(ORDER_IN_METRICS, 7)
    found = await opened.orders()
    assert (found.counted, found.left_out, found.differing) == (5, 1, 0)


async def test_an_order_that_one_passed_and_lost_is_found(opened: Books) -> None:
    await opened.passed("metrics", 7, "o-7", 7)
    await opened.order(ORDER_IN_METRICS, 7)
    found = await opened.orders()
    assert [row["order_id"] for row in found.rows] == ["o-7"]
