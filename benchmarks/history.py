"""Years of history, made by SQL: rows as the services leave them, by time, without their work."""

import asyncio
from collections.abc import Sequence

from benchmarks.machine import Database
from benchmarks.posting_runs import execute
from benchmarks.shop import TENANT

CUSTOMERS = 100_000
_PATIENCE_S = 1200
DAYS = 40  # of history, from 9 October 2025 on
# Ids as ours are: milliseconds first, then what looks like chance.
_ID = "(lpad(to_hex(1760000000000 + n * 600), 12, '0') || '7' || substr(md5(n || '{}'), 1, 3) || '8' || substr(md5('{}' || n), 1, 15))::uuid"  # noqa: E501
_WHO = "'customer-' || lpad((n::bigint * 7919 % {customers})::text, 7, '0')"
_AT = "to_timestamp(1760000000 + n * 0.6)"
_POINTS = (
    "INSERT INTO inbox SELECT '{tenant}', {event}, decode(md5(n::text), 'hex'), 'applied', NULL, jsonb_build_array("
    "jsonb_build_object('kind', 'points.earned', 'points', 54, 'entry_id', {entry}, 'customer_id', {who})),"
    " 'treue.purchases', 99, n, {at} FROM generate_series({low}::bigint, {high}::bigint) n",
    "INSERT INTO purchase_order SELECT '{tenant}', 'old-' || lpad(n::text, 9, '0'), {event}, {who}, 'EUR', 5440, {at},"
    " 1, 1, 'floor', 'recompute', 54, 0, 0, 0, false, NULL, {at} FROM generate_series({low}::bigint, {high}::bigint) n",
    "INSERT INTO entry SELECT {entry}, '{tenant}', {who}, 'earned', 54, 0, 54 * (1 + n / {customers}), {event},"
    " 'old-' || lpad(n::text, 9, '0'), {at}, {at}, 1 + n / {customers}, 1, 'purchase_completed',"
    " '{{\"total\": \"54.40\", \"exact\": \"54.40\", \"currency\": \"EUR\", \"rounding\": \"floor\","
    " \"points_per_unit\": \"1\"}}' FROM generate_series({low}::bigint, {high}::bigint) n",
    "INSERT INTO lot SELECT '{tenant}', {who}, {event}, {entry}, 54, 54, 0, {at}, {at}, true, NULL"
    " FROM generate_series({low}::bigint, {high}::bigint) n",
)  # fmt: skip
_WALLETS = (
    "INSERT INTO customer SELECT '{tenant}', 'customer-' || lpad(c::text, 7, '0'), now(), NULL"
    " FROM generate_series(0, {customers} - 1) c",
    "INSERT INTO wallet (tenant, customer_id) SELECT '{tenant}', 'customer-' || lpad(c::text, 7, '0')"
    " FROM generate_series(0, {customers} - 1) c",
)
_SETTLE_POINTS = """
    UPDATE wallet w SET posted = s.points, lifetime_earned = s.points, version = s.entries FROM (
        SELECT tenant, customer_id, sum(points) AS points, count(*) AS entries FROM entry GROUP BY 1, 2
    ) s WHERE (w.tenant, w.customer_id) = (s.tenant, s.customer_id)
"""
_MONTHS = "SELECT ensure_entry_months_v1('2025-10-01', 4)"
_DAY = f"({_AT} AT TIME ZONE 'Europe/Berlin')::date"
_METRICS = (
    "INSERT INTO shop_order SELECT '{tenant}', 'old-' || lpad(n::text, 9, '0'), {who}, {at}, {day}, 5440, 0, false,"
    " {event} FROM generate_series({low}::bigint, {high}::bigint) n",
    "INSERT INTO customer_day AS d SELECT '{tenant}', {who}, {day}, count(*), 5440 * count(*), 0"
    " FROM generate_series({low}::bigint, {high}::bigint) n GROUP BY 2, 3"
    " ON CONFLICT (tenant, customer, business_date) DO UPDATE"
    " SET orders = d.orders + excluded.orders, gross_minor = d.gross_minor + excluded.gross_minor",
    "INSERT INTO day_total AS d SELECT '{tenant}', {day}, false, 0, count(*), 5440 * count(*), 0"
    " FROM generate_series({low}::bigint, {high}::bigint) n GROUP BY 2"
    " ON CONFLICT (tenant, business_date, guest, part) DO UPDATE"
    " SET orders = d.orders + excluded.orders, gross_minor = d.gross_minor + excluded.gross_minor",
)  # fmt: skip


async def fill_points(database: Database, low: int, high: int) -> None:
    """Purchases number `low` to `high` (not included) of so many customers, with their entries, lots and wallets."""
    if not low:
        await execute(database.admin, "points", _MONTHS, *(_filled(each, low, high) for each in _WALLETS))
    await _fill(database, "points", _POINTS, low, high)
    await execute(database.admin, "points", _SETTLE_POINTS, "VACUUM ANALYZE", timeout_s=_PATIENCE_S)


async def fill_metrics(database: Database, low: int, high: int) -> None:
    """The same purchases as orders, customers' days and totals."""
    await _fill(database, "metrics", _METRICS, low, high)
    await execute(database.admin, "metrics", "VACUUM ANALYZE", timeout_s=_PATIENCE_S)


async def _fill(database: Database, service: str, statements: Sequence[str], low: int, high: int) -> None:
    """Each table by a session of its own: one session has one core."""
    filled = (_filled(each, low, high) for each in statements)
    await asyncio.gather(*(execute(database.admin, service, each, timeout_s=_PATIENCE_S) for each in filled))


def _filled(statement: str, low: int, high: int) -> str:
    return statement.format(
        tenant=TENANT, customers=CUSTOMERS, low=low, high=high - 1, at=_AT, day=_DAY,
        event=_ID.format("e", "v"), entry=_ID.format("n", "t"), who=_WHO.format(customers=CUSTOMERS),
    )  # fmt: skip
