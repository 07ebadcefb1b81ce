"""The books of points and metrics, written by hand: what an auditor of both finds."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from deploy.audit.agreement import agreement
from deploy.audit.check import Finding, run
from tests.support.stack import Database

_SERVICES = ("points", "metrics")
_TABLES = ("inbox", "consumer_offset", "parked_event", "dead_letter", "conflict")
_POSITION = """
    INSERT INTO {}.consumer_offset (topic, part, first_offset, next_offset, epoch, cluster_id)
    VALUES ('treue.purchases', 0, 0, $1, 1, 'c'), ('treue.purchases', 1, 0, $1, 1, 'c')
"""
INBOX = """
    INSERT INTO {}.inbox VALUES ('t', $1, 'h', 'applied', NULL,
        jsonb_build_array(jsonb_build_object('order_id', $2::text)), 'treue.purchases', 0, $3, now())
"""
ORDER_IN_POINTS = """
    INSERT INTO points.purchase_order (tenant, order_id, event_id, currency, total_minor, occurred_at, cancelled,
        recorded_at, customer_id) VALUES ('t', $1, $2, 'EUR', $3, '2026-03-01 12:00Z', $4, now(), $5)
"""
ORDER_IN_METRICS = """
    INSERT INTO metrics.shop_order VALUES ('t', $1, $5, '2026-03-01 12:00Z', '2026-03-01', $3, 0, $4, $2)
"""
PROGRAMME = """
    INSERT INTO points.programme VALUES
        ('t', $1, 'n', 'EUR', $2, 'de-DE', 1, 'floor', 'recompute', 0, now(), now(), 'test')
"""


class Books:
    """Points stand at 10 and metrics at 12; five orders are the same in both, of the offsets 0 to 4."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def open(self) -> None:
        for service, position in (("points", 10), ("metrics", 12)):
            await self.connection.execute(_POSITION.format(service), position)
        await self.connection.execute(PROGRAMME, 1, "Europe/Berlin")
        for number in range(5):
            await self.passed("points", number, f"o-{number}", number)
            await self.passed("metrics", number, f"o-{number}", number)
            await self.order(ORDER_IN_POINTS, number)
            await self.order(ORDER_IN_METRICS, number)

    async def order(self, query: str, number: int, total: int = 100) -> None:
        """Each second one is a guest's."""
        customer = "ada" if number % 2 else None
        await self.connection.execute(query, f"o-{number}", UUID(int=number), total, False, customer)

    async def passed(self, service: str, event: int, order: str, offset: int) -> None:
        await self.connection.execute(INBOX.format(service), UUID(int=event), order, offset)

    async def orders(self) -> Finding:
        return await self.found("orders_agree_with_metrics")

    async def found(self, name: str) -> Finding:
        return await run(self.connection, next(check for check in agreement() if check.name == name), None)


@pytest.fixture
async def opened(books: Database) -> AsyncIterator[Books]:
    connection = await asyncpg.connect(books.admin)
    tables = [f"{service}.{table}" for service in _SERVICES for table in _TABLES]
    try:
        found = Books(connection)
        await found.open()
        yield found
    finally:
        written = [*tables, "points.programme", "points.purchase_order", "points.order_return"]
        written += ["metrics.shop_order", "metrics.refund", "metrics.feedback"]
        await connection.execute(f"TRUNCATE {', '.join(written)}")
        await connection.close()
