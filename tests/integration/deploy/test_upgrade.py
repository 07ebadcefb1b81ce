"""A database that an earlier release has written: after the migration it is as if this release had written it."""

import shutil
from pathlib import Path

import asyncpg
import pytest

from services.metrics.bootstrap import MIGRATIONS as METRICS
from services.notifications.adapters.audit import invariants as of_notifications
from services.notifications.bootstrap import MIGRATIONS as NOTIFICATIONS
from services.points.adapters.audit import CHECKS as OF_POINTS
from services.points.bootstrap import MIGRATIONS as POINTS
from shared.audit import Law
from shared.db.migrate import migrate
from shared.erasures import pseudonym_of
from tests.conftest import DatabaseFactory
from tests.support.stack import Database

_AT = "2026-11-20T10:00:00Z"
_EVENT = "'00000000-0000-0000-0000-0000000000e1'"
_POINTS = (
    f"INSERT INTO customer VALUES ('shop', 'gone', '{_AT}', '{_AT}'), ('shop', 'ada', '{_AT}', NULL)",
    "INSERT INTO wallet (tenant, customer_id) VALUES ('shop', 'ada')",
    "INSERT INTO wallet (tenant, customer_id, posted, lifetime_earned, version) VALUES ('shop', 'gone', 7, 7, 1)",
    f"""INSERT INTO entry VALUES ({_EVENT}, 'shop', 'gone', 'earned', 7, 0, 7, {_EVENT}, 'o-1', '{_AT}', '{_AT}', 1, 1,
        'purchase_completed', '{{}}')""",
    f"INSERT INTO lot VALUES ('shop', 'gone', {_EVENT}, {_EVENT}, 7, 7, 0, '{_AT}', '{_AT}', true, NULL)",
    f"""INSERT INTO purchase_order (tenant, order_id, event_id, customer_id, currency, total_minor, occurred_at,
        programme_version, points_per_unit, rounding, return_policy, points, recorded_at)
        VALUES ('shop', 'o-1', {_EVENT}, 'gone', 'EUR', 700, '{_AT}', 1, 1, 'floor', 'recompute', 7, '{_AT}')""",
    f"""INSERT INTO programme VALUES ('shop', 1, 'shop', 'EUR', 'UTC', 'en', 1, 'floor', 'recompute', 0, '{_AT}',
        '{_AT}', 'test')""",
)
_NOTIFICATIONS = (
    f"""INSERT INTO profile VALUES ('shop', 'gone', 'erased', NULL, NULL, NULL, NULL, NULL, '{_AT}'),
        ('shop', 'ada', 'known', 'ada@example.org', 'Ada', 'de', NULL, 'consumer', '{_AT}')""",
    f"""INSERT INTO consent (tenant, customer_id, channel, purpose, granted, since, event_id, recorded_at) VALUES
        ('shop', 'gone', 'email', 'marketing', true, '{_AT}', {_EVENT}, '{_AT}'),
        ('shop', 'gone', 'email', 'marketing', NULL, '{_AT}', {_EVENT}, '{_AT}'),
        ('shop', 'ada', 'email', 'service', false, '{_AT}', {_EVENT}, '{_AT}'),
        ('shop', 'ada', 'email', 'service', NULL, '{_AT}', {_EVENT}, '{_AT}')""",
    f"""INSERT INTO message (tenant, id, customer_id, cause_id, origin_id, template, channel, purpose, facts, status,
        correlation_id, traceparent, created_at, sent_at) VALUES ('shop', {_EVENT}, 'gone', {_EVENT}, {_EVENT},
        'points_earned', 'inapp', 'service', '{{}}', 'sent', '', '', '{_AT}', '{_AT}')""",
    f"""INSERT INTO inbox VALUES ('shop', {_EVENT}, 'h', 'applied', NULL, '[{{"kind": "message",
        "template": "points_earned", "channel": "inapp"}}]', 't', 0, 0, '{_AT}')""",
)


async def upgraded(
    database: DatabaseFactory, folder: Path, service: str, migrations: Path, before: str, written: tuple[str, ...]
) -> tuple[Database, asyncpg.Connection]:
    """A database at the revision before `before`, with these rows in it, then brought up to date."""
    earlier = _earlier(migrations, folder / service, before)
    made = await database(service)
    await migrate(made.owner, service, earlier)
    connection = await asyncpg.connect(made.admin)
    await connection.execute(f"SET search_path = {service}")
    for statement in written:
        await connection.execute(statement)
    assert await migrate(made.owner, service, migrations) != []
    return made, connection


def _earlier(migrations: Path, into: Path, before: str) -> Path:
    later = [each.name for each in migrations.glob("versions/0*.py") if each.name[:4] >= before]
    return Path(shutil.copytree(migrations, into, ignore=shutil.ignore_patterns(*later, "__pycache__")))


async def drift(connection: asyncpg.Connection, laws: list[Law]) -> list[str]:
    return [law.name for law in laws if await connection.fetch(law.differing, None)]


async def test_points_of_the_erased_go_on_under_a_pseudonym(database: DatabaseFactory, tmp_path: Path) -> None:
    _, connection = await upgraded(database, tmp_path, "points", POINTS, "0003", _POINTS)
    old = pseudonym_of("shop", "gone", 1)
    for table in ("wallet", "entry", "lot", "purchase_order"):
        found = await connection.fetch(f"SELECT customer_id FROM {table} WHERE customer_id <> 'ada'")
        assert [row[0] for row in found] == [old], table
    assert await drift(connection, list(OF_POINTS)) == []
    await connection.close()


async def test_a_withdrawal_that_a_list_had_taken_back_stands_again(database: DatabaseFactory, tmp_path: Path) -> None:
    _, connection = await upgraded(database, tmp_path, "notifications", NOTIFICATIONS, "0002", _NOTIFICATIONS)
    words = await connection.fetch("SELECT customer_id, purpose, said_by, granted FROM consent_word")
    assert [tuple(row) for row in words] == [("ada", "service", "shop", False)]
    old = pseudonym_of("shop", "gone", 1)
    for table in ("message", "consent"):
        found = await connection.fetch(f"SELECT DISTINCT customer_id FROM {table} WHERE customer_id <> 'ada'")
        assert [row[0] for row in found] == [old], table
    assert await drift(connection, of_notifications()) == []
    await connection.close()


@pytest.mark.parametrize("used", [True, False])
async def test_records_are_said_to_begin_with_this_release(
    database: DatabaseFactory, tmp_path: Path, used: bool
) -> None:
    inbox = f"INSERT INTO inbox VALUES ('shop', {_EVENT}, 'h', 'applied', NULL, NULL, 't', 0, 0, '{_AT}')"
    _, connection = await upgraded(database, tmp_path, "metrics", METRICS, "0003", (inbox,) if used else ())
    assert await connection.fetchval("SELECT isfinite(since) FROM record_start") is used
    await connection.close()
