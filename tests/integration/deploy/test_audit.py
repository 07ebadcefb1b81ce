"""`treue verify` finds each kind of drift that is planted, and nothing in books that are right."""

import asyncpg
import pytest

from deploy.audit.report import audit
from tests.support.stack import Database, Parts

_INBOX = "INSERT INTO {}.inbox VALUES ('t', '0190a0a0-0000-7000-8000-000000000001', 'h', 'applied', NULL, NULL, \
    'treue.purchases', 0, 0, now())"
_OFFSET = "INSERT INTO {}.consumer_offset (topic, part, first_offset, next_offset, epoch, cluster_id, {}) \
    VALUES ('{}', 0, 0, {}, 1, 'c', {})"
_ORDER = (
    "INSERT INTO points.purchase_order (tenant, order_id, event_id, currency, total_minor, occurred_at, recorded_at) \
    VALUES ('t', 'o', '0190a0a0-0000-7000-8000-000000000001', 'EUR', 100, now(), now())"
)

PLANTS = {
    "offsets passed without a trace": (
        "points.completeness",
        [_OFFSET.format("points", "gaps", "treue.purchases", 5, 0)],
    ),
    "offsets counted as ignored that the topic does not have": (
        "points.every_offset_explained",
        [_OFFSET.format("points", "ignored", "treue.purchases", 5, 5)],
    ),
    "a hole in a topic that keeps all": (
        "metrics.completeness",
        [_OFFSET.format("metrics", "gaps", "treue.feedback", 5, 5)],
    ),
    "an inbox row that vanished": (
        "notifications.completeness",
        [_OFFSET.format("notifications", "ignored", "treue.points", 3, 2)],
    ),
    "an inbox row of no partition": ("points.inbox_within_positions", [_INBOX.format("points")]),
    "events that nobody publishes": (
        "points.outbox_drained",
        ["INSERT INTO points.outbox (bucket, records, record_count, created_at) \
            VALUES (0, '', 1, now() - interval '1 hour')"],
    ),
    "a partition that stands still": (
        "gateway.no_partition_halted",
        [_OFFSET.format("gateway", "halted", "treue.programmes", 0, "'told so'")],
    ),
    "a purchase that metrics never saw": (
        "points.purchases_reached_metrics",
        [
            _INBOX.format("points"),
            _OFFSET.format("points", "gaps", "treue.purchases", 1, 0),
            _OFFSET.format("metrics", "ignored", "treue.purchases", 1, 1),
        ],
    ),
    "an order that metrics do not have": ("points.orders_agree_with_metrics", [_ORDER]),
    "a position beyond the log": (
        "kafka.positions_within_logs",
        [_OFFSET.format("points", "ignored", "treue.purchases", 10**12, 10**12)],
    ),
    "an order without its entry": (
        "points.orders_make_entries",
        [_ORDER, "UPDATE points.purchase_order SET points = 1, customer_id = 'c'"],
    ),
}  # fmt: skip


async def _found(books: Database, parts: Parts) -> set[str]:
    _, findings = await audit(books.admin, parts.kafka_bootstrap)
    return {f"{each.check.service}.{each.check.name}" for each in findings if each.differing}


async def test_empty_books_are_right(books: Database, parts: Parts) -> None:
    assert await _found(books, parts) == set()


@pytest.mark.parametrize("what", PLANTS)
async def test_planted_drift_is_found(books: Database, parts: Parts, what: str) -> None:
    check, plants = PLANTS[what]
    tables = [
        f"{service}.{table}"
        for service in ("points", "metrics", "notifications", "gateway")
        for table in ("inbox", "consumer_offset", "outbox")
    ]
    connection = await asyncpg.connect(books.admin)
    try:
        for plant in plants:
            await connection.execute(plant)
        assert check in await _found(books, parts)
    finally:
        await connection.execute(f"TRUNCATE {', '.join(tables)}, points.purchase_order")
        await connection.close()
    assert await _found(books, parts) == set()
