"""An order of which a shop said two things in two partitions is named, and only what is written down excuses it."""

from uuid import UUID

import pytest

from tests.integration.deploy.both_books import INBOX, ORDER_IN_METRICS, ORDER_IN_POINTS, Books, opened

__all__ = ["opened"]

_REFUSED = """
    INSERT INTO {}.inbox VALUES
        ('t', $1, 'h', 'rejected', 'order_already_counted', NULL, 'treue.purchases', $2, $3, now())
"""
_RETURN_IN_POINTS = """
    INSERT INTO points.order_return (tenant, order_id, event_id, minor, points, cancels, occurred_at, recorded_at)
    VALUES ('t', $1, $2, 60, 0, false, now(), now())
"""
_REFUND_IN_METRICS = "INSERT INTO metrics.refund VALUES ('t', $1, $2, NULL, 50, now(), '2026-03-01', false)"
_CONFLICT = "INSERT INTO {}.conflict VALUES ('t', $1, 'h', 'treue.purchases', $2, 3, now())"


class _Contradiction:
    """Two events of one order on two partitions; points took the one and metrics the other."""

    def __init__(self, books: Books) -> None:
        self.books, self.one, self.two = books, UUID(int=21), UUID(int=22)

    async def refused(self, service: str, event: UUID, part: int) -> None:
        await self.books.connection.execute(_REFUSED.format(service), event, part, 4)

    async def taken(self, service: str, event: UUID, part: int) -> None:
        await self.books.connection.execute(INBOX.format(service), event, "o-21", 4)
        await self.books.connection.execute(f"UPDATE {service}.inbox SET part = $2 WHERE event_id = $1", event, part)

    async def bought_twice(self, other_part: int = 1) -> None:
        execute = self.books.connection.execute
        await execute(ORDER_IN_POINTS, "o-21", self.one, 100, False, "ada")
        await execute(ORDER_IN_METRICS, "o-21", self.two, 300, False, None)
        await self.taken("points", self.one, 0)
        await self.refused("metrics", self.one, 0)
        await self.taken("metrics", self.two, other_part)
        await self.refused("points", self.two, other_part)

    async def found(self) -> tuple[int, int]:
        """How many orders differ, and how many are named."""
        named = await self.books.found("orders_contradicted")
        assert (named.differing, [row["order_id"] for row in named.rows]) == (0, ["o-21"] * named.named)
        return (await self.books.orders()).differing, named.named


async def test_an_order_that_the_shop_contradicted_is_named_and_no_drift(opened: Books) -> None:
    contradiction = _Contradiction(opened)
    await contradiction.bought_twice()
    assert await contradiction.found() == (0, 1)
    assert (await opened.orders()).left_out == 1


async def _returned_twice(books: Books, bought_in: int, returned_in: tuple[int, int]) -> _Contradiction:
    """60 and 50 of 100 came back; points took the one and metrics the other."""
    contradiction, bought = _Contradiction(books), UUID(int=20)
    for written in (ORDER_IN_POINTS, ORDER_IN_METRICS):
        await books.connection.execute(written, "o-21", bought, 100, False, "ada")
    for service, one, other in (("points", 0, 1), ("metrics", 1, 0)):
        events = contradiction.one, contradiction.two
        await contradiction.taken(service, bought, bought_in)
        await contradiction.taken(service, events[one], returned_in[one])
        await contradiction.refused(service, events[other], returned_in[other])
    await books.connection.execute("UPDATE points.purchase_order SET returned_minor = 60 WHERE order_id = 'o-21'")
    await books.connection.execute("UPDATE metrics.shop_order SET refunded_minor = 50 WHERE order_id = 'o-21'")
    await books.connection.execute(_RETURN_IN_POINTS, "o-21", contradiction.one)
    await books.connection.execute(_REFUND_IN_METRICS, "o-21", contradiction.two)
    return contradiction


@pytest.mark.parametrize(("bought_in", "returned_in"), [(0, (0, 1)), (0, (1, 1))])
async def test_two_returns_that_exceed_the_purchase_together_are_a_contradiction(
    opened: Books, bought_in: int, returned_in: tuple[int, int]
) -> None:
    """Both may lie beside each other where their purchase lies elsewhere: it comes before, between or after them."""
    contradiction = await _returned_twice(opened, bought_in, returned_in)
    assert await contradiction.found() == (0, 1)
    await opened.connection.execute("DELETE FROM points.inbox WHERE outcome = 'rejected'")
    assert await contradiction.found() == (1, 0), "points have not refused what metrics took"


@pytest.mark.parametrize(
    "change",
    [
        "metrics.shop_order SET gross_minor = 101",
        "metrics.shop_order SET customer = 'bob'",
        "metrics.shop_order SET refunded_minor = 61",
        "points.purchase_order SET returned_minor = 61",
        "points.purchase_order SET cancelled = true",
    ],
)
async def test_all_but_the_disputed_returns_is_compared(opened: Books, change: str) -> None:
    contradiction = await _returned_twice(opened, 0, (0, 1))
    await opened.connection.execute(f"UPDATE {change} WHERE order_id = 'o-21'")
    assert await contradiction.found() == (1, 1)


async def test_one_id_for_two_orders_is_a_contradiction_where_both_say_so(opened: Books) -> None:
    contradiction, execute = _Contradiction(opened), opened.connection.execute
    await execute(ORDER_IN_POINTS, "o-21", contradiction.one, 100, False, "ada")
    await execute(ORDER_IN_METRICS, "o-21", contradiction.one, 300, False, "bob")
    for service, part in (("points", 0), ("metrics", 1)):
        await contradiction.taken(service, contradiction.one, part)
        await execute(
            f"UPDATE {service}.inbox SET body_hash = $2 WHERE event_id = $1", contradiction.one, bytes([part])
        )
        assert await contradiction.found() == (1, 0)
    for service, part in (("points", 1), ("metrics", 0)):
        await execute(_CONFLICT.format(service), contradiction.one, part)
    assert await contradiction.found() == (0, 1)


async def test_a_purchase_that_earned_too_much_was_not_refused(opened: Books) -> None:
    contradiction = _Contradiction(opened)
    await contradiction.bought_twice()
    await opened.connection.execute("UPDATE points.inbox SET reason = 'points_beyond_limit' WHERE outcome = 'rejected'")
    assert await contradiction.found() == (1, 0)


async def test_on_one_partition_there_is_no_excuse(opened: Books) -> None:
    contradiction = _Contradiction(opened)
    await contradiction.bought_twice(other_part=0)
    assert await contradiction.found() == (1, 0)


@pytest.mark.parametrize(
    "lost", ["points.inbox WHERE outcome = 'rejected'", "metrics.inbox WHERE outcome = 'rejected'"]
)
async def test_what_one_lost_is_drift_whatever_else_the_shop_said(opened: Books, lost: str) -> None:
    contradiction = _Contradiction(opened)
    await contradiction.bought_twice()
    await opened.connection.execute(f"DELETE FROM {lost}")
    assert await contradiction.found() == (1, 0)
