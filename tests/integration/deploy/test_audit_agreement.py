"""Points and metrics are compared while both go on; only what one of them is just dealing with is left out."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from deploy.audit.agreement import agreement
from deploy.audit.check import Finding, run
from tests.support.stack import Database

_SERVICES = ("points", "metrics")
_TABLES = ("inbox", "consumer_offset", "parked_event", "dead_letter")
_POSITION = """
    INSERT INTO {}.consumer_offset (topic, part, first_offset, next_offset, epoch, cluster_id)
    VALUES ('treue.purchases', 0, 0, $1, 1, 'c'), ('treue.purchases', 1, 0, $1, 1, 'c')
"""
_INBOX = """
    INSERT INTO {}.inbox VALUES ('t', $1, 'h', 'applied', NULL,
        jsonb_build_array(jsonb_build_object('order_id', $2::text)), 'treue.purchases', 0, $3, now())
"""
_ORDER_IN_POINTS = """
    INSERT INTO points.purchase_order (tenant, order_id, event_id, currency, total_minor, occurred_at, cancelled,
        recorded_at, customer_id) VALUES ('t', $1, $2, 'EUR', $3, '2026-03-01 12:00Z', $4, now(), $5)
"""
_ORDER_IN_METRICS = """
    INSERT INTO metrics.shop_order VALUES ('t', $1, $5, '2026-03-01 12:00Z', '2026-03-01', $3, 0, $4, $2)
"""
_REFUSED = """
    INSERT INTO {}.inbox VALUES
        ('t', $1, 'h', 'rejected', 'order_already_counted', NULL, 'treue.purchases', $2, $3, now())
"""
_RETURN_IN_POINTS = """
    INSERT INTO points.order_return (tenant, order_id, event_id, minor, points, cancels, occurred_at, recorded_at)
    VALUES ('t', $1, $2, 60, 0, false, now(), now())
"""
_REFUND_IN_METRICS = "INSERT INTO metrics.refund VALUES ('t', $1, $2, NULL, 60, now(), '2026-03-01', false)"
_PROGRAMME = """
    INSERT INTO points.programme VALUES
        ('t', $1, 'n', 'EUR', $2, 'de-DE', 1, 'floor', 'recompute', 0, now(), now(), 'test')
"""
_DEAD = """
    INSERT INTO points.dead_letter (id, tenant, event_id, topic, part, off, record_key, headers, record_time, error,
        detail, code_version, blocks_key, created_at)
    VALUES (gen_random_uuid(), 't', $1, 'treue.purchases', 0, $2, 'k', '[]', now(), 'e', 'd', 'v', false, now())
"""


class _Books:
    """Points stand at 10 and metrics at 12; five orders are the same in both, of the offsets 0 to 4."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def open(self) -> None:
        for service, position in (("points", 10), ("metrics", 12)):
            await self.connection.execute(_POSITION.format(service), position)
        await self.connection.execute(_PROGRAMME, 1, "Europe/Berlin")
        for number in range(5):
            await self.passed("points", number, f"o-{number}", number)
            await self.passed("metrics", number, f"o-{number}", number)
            await self.order(_ORDER_IN_POINTS, number)
            await self.order(_ORDER_IN_METRICS, number)

    async def order(self, query: str, number: int, total: int = 100) -> None:
        """Each second one is a guest's."""
        customer = "ada" if number % 2 else None
        await self.connection.execute(query, f"o-{number}", UUID(int=number), total, False, customer)

    async def passed(self, service: str, event: int, order: str, offset: int) -> None:
        await self.connection.execute(_INBOX.format(service), UUID(int=event), order, offset)

    async def orders(self) -> Finding:
        return await self.found("orders_agree_with_metrics")

    async def found(self, name: str) -> Finding:
        return await run(self.connection, next(check for check in agreement() if check.name == name), None)


@pytest.fixture
async def opened(books: Database) -> AsyncIterator[_Books]:
    connection = await asyncpg.connect(books.admin)
    tables = [f"{service}.{table}" for service in _SERVICES for table in _TABLES]
    try:
        found = _Books(connection)
        await found.open()
        yield found
    finally:
        written = [*tables, "points.programme", "points.purchase_order", "points.order_return"]
        written += ["metrics.shop_order", "metrics.refund", "metrics.feedback"]
        await connection.execute(f"TRUNCATE {', '.join(written)}")
        await connection.close()


async def test_a_difference_is_found_while_positions_differ(opened: _Books) -> None:
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
async def test_whose_it_is_and_when_it_was_are_compared(opened: _Books, change: str) -> None:
    await opened.connection.execute(f"UPDATE metrics.shop_order SET {change}")
    found = await opened.orders()
    assert [row["order_id"] for row in found.rows] == [change[-4:-1]]


class _Contradiction:
    """Two events of one order on two partitions; points took the one and metrics the other."""

    def __init__(self, books: _Books) -> None:
        self.books, self.one, self.two = books, UUID(int=21), UUID(int=22)

    async def refused(self, service: str, event: UUID, part: int) -> None:
        await self.books.connection.execute(_REFUSED.format(service), event, part, 4)

    async def taken(self, service: str, event: UUID, part: int) -> None:
        await self.books.connection.execute(_INBOX.format(service), event, "o-21", 4)
        await self.books.connection.execute(f"UPDATE {service}.inbox SET part = $2 WHERE event_id = $1", event, part)

    async def bought_twice(self, other_part: int = 1) -> None:
        execute = self.books.connection.execute
        await execute(_ORDER_IN_POINTS, "o-21", self.one, 100, False, "ada")
        await execute(_ORDER_IN_METRICS, "o-21", self.two, 300, False, None)
        await self.taken("points", self.one, 0)
        await self.refused("metrics", self.one, 0)
        await self.taken("metrics", self.two, other_part)
        await self.refused("points", self.two, other_part)

    async def found(self) -> tuple[int, int]:
        """How many orders differ, and how many are named."""
        named = await self.books.found("orders_contradicted")
        assert (named.differing, [row["order_id"] for row in named.rows]) == (0, ["o-21"] * named.named)
        return (await self.books.orders()).differing, named.named


async def test_an_order_that_the_shop_contradicted_is_named_and_no_drift(opened: _Books) -> None:
    contradiction = _Contradiction(opened)
    await contradiction.bought_twice()
    assert await contradiction.found() == (0, 1)
    assert (await opened.orders()).left_out == 1


async def test_two_returns_that_exceed_the_purchase_together_are_a_contradiction(opened: _Books) -> None:
    contradiction, execute = _Contradiction(opened), opened.connection.execute
    for written in (_ORDER_IN_POINTS, _ORDER_IN_METRICS):
        await execute(written, "o-21", UUID(int=20), 100, False, "ada")
    await execute("UPDATE points.purchase_order SET returned_minor = 60 WHERE order_id = 'o-21'")
    await execute("UPDATE metrics.shop_order SET refunded_minor = 70 WHERE order_id = 'o-21'")
    await execute(_RETURN_IN_POINTS, "o-21", contradiction.one)
    await execute(_REFUND_IN_METRICS, "o-21", contradiction.two)
    await contradiction.taken("points", contradiction.one, 0)
    await contradiction.refused("metrics", contradiction.one, 0)
    await contradiction.taken("metrics", contradiction.two, 1)
    assert await contradiction.found() == (1, 0), "points have not refused what metrics took"
    await contradiction.refused("points", contradiction.two, 1)
    assert await contradiction.found() == (0, 1)


async def test_on_one_partition_there_is_no_excuse(opened: _Books) -> None:
    contradiction = _Contradiction(opened)
    await contradiction.bought_twice(other_part=0)
    assert await contradiction.found() == (1, 0)


@pytest.mark.parametrize(
    "lost", ["points.inbox WHERE outcome = 'rejected'", "metrics.inbox WHERE outcome = 'rejected'"]
)
async def test_what_one_lost_is_drift_whatever_else_the_shop_said(opened: _Books, lost: str) -> None:
    contradiction = _Contradiction(opened)
    await contradiction.bought_twice()
    await opened.connection.execute(f"DELETE FROM {lost}")
    assert await contradiction.found() == (1, 0)


_REFUND = "INSERT INTO metrics.refund VALUES ('t', 'o-1', gen_random_uuid(), NULL, 1, $1, $2, false)"
_ANSWER = "INSERT INTO metrics.feedback VALUES ('t', gen_random_uuid(), 'ada', 'nps', 9, $1, $2)"
_ORDER = "UPDATE metrics.shop_order SET occurred_at = $1, business_date = $2 WHERE order_id = 'o-1'"


@pytest.mark.parametrize("written", [_REFUND, _ANSWER, _ORDER])
async def test_what_counts_on_another_day_is_found(opened: _Books, written: str) -> None:
    evening, first = datetime(2026, 3, 1, 22, 59, tzinfo=UTC), date(2026, 3, 1)
    await opened.connection.execute(written, evening - timedelta(hours=2), first)
    assert (await opened.found("days_agree_with_points")).differing == 0
    await opened.connection.execute(written, evening - timedelta(hours=2), first + timedelta(days=1))
    await opened.connection.execute(written, evening + timedelta(hours=2), first)
    assert (await opened.found("days_agree_with_points")).differing == (1 if written is _ORDER else 2)


async def test_days_of_an_earlier_time_zone_stand(opened: _Books) -> None:
    tokyo = datetime(2026, 3, 1, 18, tzinfo=UTC), date(2026, 3, 2)
    await opened.connection.execute(_ORDER, *tokyo)
    assert (await opened.found("days_agree_with_points")).differing == 1
    await opened.connection.execute(_PROGRAMME, 2, "Asia/Tokyo")
    assert (await opened.found("days_agree_with_points")).differing == 0


async def test_days_of_a_time_zone_that_the_database_does_not_know_are_left_out(opened: _Books) -> None:
    await opened.connection.execute(_PROGRAMME, 2, "Mars/Olympus")
    found = await opened.found("days_agree_with_points")
    assert (found.counted, found.left_out, found.differing) == (0, 5, 0)


async def test_a_purchase_that_one_has_passed_alone_is_left_out(opened: _Books) -> None:
    await opened.passed("metrics", 11, "o-11", 11)
    await opened.order(_ORDER_IN_METRICS, 11)
    found = await opened.orders()
    assert (found.counted, found.left_out, found.differing) == (5, 1, 0)


async def test_a_cancellation_that_one_has_passed_alone_leaves_its_order_out(opened: _Books) -> None:
    await opened.passed("metrics", 11, "o-2", 11)
    await opened.connection.execute("UPDATE metrics.shop_order SET cancelled = true WHERE order_id IN ('o-2', 'o-4')")
    found = await opened.orders()
    assert [row["order_id"] for row in found.rows] == ["o-4"]
    assert (found.counted, found.left_out) == (4, 1)


async def test_what_points_has_passed_alone_is_left_out_too(opened: _Books) -> None:
    await opened.connection.execute("UPDATE metrics.consumer_offset SET next_offset = 8")
    await opened.passed("points", 9, "o-9", 9)
    await opened.order(_ORDER_IN_POINTS, 9)
    found = await opened.orders()
    assert (found.counted, found.left_out, found.differing) == (5, 1, 0)


async def test_an_order_of_a_dead_letter_is_left_out(opened: _Books) -> None:
    await opened.connection.execute(_DEAD, UUID(int=7), 7)
    await opened.passed("metrics", 7, "o-7", 7)
    await opened.order(_ORDER_IN_METRICS, 7)
    found = await opened.orders()
    assert (found.counted, found.left_out, found.differing) == (5, 1, 0)


async def test_an_order_that_one_passed_and_lost_is_found(opened: _Books) -> None:
    await opened.passed("metrics", 7, "o-7", 7)
    await opened.order(_ORDER_IN_METRICS, 7)
    found = await opened.orders()
    assert [row["order_id"] for row in found.rows] == ["o-7"]
