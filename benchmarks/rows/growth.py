"""What posting and reading cost when the ledger is large."""

import asyncio
import statistics
import time
from contextlib import ExitStack

import asyncpg

from benchmarks import posting_runs
from benchmarks.harness import Goal, Row, Sample, medians, row
from benchmarks.machine import Database, Machine
from benchmarks.shop import TENANT, customer, fill_topic
from benchmarks.size import Size

_CUSTOMERS = 100_000
_PAGES = 200
# History as posting leaves it, by time; ids as ours are: milliseconds first, then what looks like chance.
_ID = "(lpad(to_hex(1760000000000 + n * 600), 12, '0') || '7' || substr(md5(n || '{}'), 1, 3) || '8' || substr(md5('{}' || n), 1, 15))::uuid"  # noqa: E501
_WHO = "'customer-' || lpad((n * 7919 % {customers})::text, 7, '0')"
_AT = "to_timestamp(1760000000 + n * 0.6)"
_STATEMENTS = (
    "INSERT INTO inbox SELECT '{tenant}', {event}, decode(md5(n::text), 'hex'), 'applied', NULL, jsonb_build_array("
    "jsonb_build_object('kind', 'points.earned', 'points', 54, 'entry_id', {entry}, 'customer_id', {who})),"
    " 'treue.purchases', 99, n, {at} FROM generate_series({low}, {high}) n",
    "INSERT INTO purchase_order SELECT '{tenant}', 'old-' || lpad(n::text, 9, '0'), {event}, {who}, 'EUR', 5440, {at},"
    " 1, 1, 'floor', 'recompute', 54, 0, 0, 0, false, NULL, {at} FROM generate_series({low}, {high}) n",
    "INSERT INTO entry SELECT {entry}, '{tenant}', {who}, 'earned', 54, 0, 54 * (1 + n / {customers}), {event},"
    " 'old-' || lpad(n::text, 9, '0'), {at}, {at}, 1 + n / {customers}, 1, 'purchase_completed',"
    " '{{\"total\": \"54.40\", \"exact\": \"54.40\", \"currency\": \"EUR\", \"rounding\": \"floor\","
    " \"points_per_unit\": \"1\"}}' FROM generate_series({low}, {high}) n",
    "INSERT INTO lot SELECT '{tenant}', {who}, {event}, {entry}, 54, 54, 0, {at}, {at}, true, NULL"
    " FROM generate_series({low}, {high}) n",
)  # fmt: skip
_WALLETS = (
    "INSERT INTO customer SELECT '{tenant}', 'customer-' || lpad(c::text, 7, '0'), now(), NULL"
    " FROM generate_series(0, {customers} - 1) c",
    "INSERT INTO wallet (tenant, customer_id) SELECT '{tenant}', 'customer-' || lpad(c::text, 7, '0')"
    " FROM generate_series(0, {customers} - 1) c",
)
_SETTLE = """
    UPDATE wallet w SET posted = s.points, lifetime_earned = s.points, version = s.entries FROM (
        SELECT tenant, customer_id, sum(points) AS points, count(*) AS entries FROM entry GROUP BY 1, 2
    ) s WHERE (w.tenant, w.customer_id) = (s.tenant, s.customer_id)
"""
_MONTHS = "SELECT ensure_entry_months_v1('2025-10-01', 4)"
_PAGE = """
    SELECT id, kind, points, debt, balance_after, event_id, order_id, occurred_at, recorded_at, reason
    FROM entry WHERE tenant = $1 AND customer_id = $2 ORDER BY id DESC LIMIT 51
"""
_SIZES = """
    SELECT sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'r') AS tables,
        sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'i') AS indexes
    FROM pg_class WHERE relnamespace = 'points'::regnamespace AND relkind IN ('r', 'i')
"""


def growth(machine: Machine, size: Size) -> list[Row]:
    """`growth_5m`: posting into a large ledger beside an almost empty one; and the curve on the way there."""
    with ExitStack() as stack:
        small, large = (stack.enter_context(machine.database("points")) for _ in range(2))
        for database in (small, large):
            posting_runs.open_shop(database, "points")
            asyncio.run(_fill(database, 0, 10_000, first=True))
        curve: dict[str, float] = {}
        entries = 10_000
        posting = _Posting(machine, size)
        pairs: list[tuple[Sample, Sample]] = []
        for level in size.growth:
            if level > entries:
                asyncio.run(_fill(large, entries, level, first=False))
                entries = level
            posting.post(large)  # warm: the first batches after a checkpoint write whole pages
            last = level == size.growth[-1]
            rounds = size.rounds if last else 1
            pairs = [(posting.post(large), posting.post(small)) for _ in range(rounds)]
            curve |= _point(level, large, pairs)
        found = row(
            f"growth_{_short(entries)}", f"posting at {entries:,} entries of {_CUSTOMERS:,} customers",
            "posting into an almost empty ledger of as many customers", "events/s", pairs, Goal(0.85, 0.95),
        )  # fmt: skip
        return [_with(found, curve)]


class _Posting:
    """Every run needs events that nobody has seen: the consumers of both databases go on from where they stand."""

    def __init__(self, machine: Machine, size: Size) -> None:
        self._machine, self._events = machine, size.growth_events
        self._written = size.events

    def post(self, database: Database) -> Sample:
        machine, prefix = self._machine, f"g{self._written}"
        asyncio.run(posting_runs.skip_to_end(machine.kafka, database))
        asyncio.run(fill_topic(machine.kafka, self._events, _CUSTOMERS, prefix))
        self._written += self._events
        return posting_runs.run(machine, database, "points", self._written, events=self._events)


def _point(level: int, database: Database, pairs: list[tuple[Sample, Sample]]) -> dict[str, float]:
    name = _short(level)
    costs = medians([ours for ours, _ in pairs])
    tables, indexes = asyncio.run(_sizes(database))
    return {
        f"posting_{name}": statistics.median(ours.rate for ours, _ in pairs),
        f"wal_bytes_{name}": costs["wal_bytes"],
        f"postgres_us_{name}": costs["postgres_us"],
        f"tables_mb_{name}": tables / 2**20,
        f"indexes_mb_{name}": indexes / 2**20,
        f"transactions_page_ms_{name}": asyncio.run(_page_ms(database)),
    }


async def _fill(database: Database, low: int, high: int, *, first: bool) -> None:
    connection = await asyncpg.connect(database.admin, server_settings={"search_path": "points"})
    names = {
        "tenant": TENANT, "customers": _CUSTOMERS, "low": low, "high": high - 1, "at": _AT,
        "event": _ID.format("e", "v"), "entry": _ID.format("n", "t"), "who": _WHO.format(customers=_CUSTOMERS),
    }  # fmt: skip
    try:
        if first:
            await connection.execute(_MONTHS)
        for statement in (*(_WALLETS if first else ()), *_STATEMENTS):
            await connection.execute(statement.format(**names), timeout=1200)
        await connection.execute(_SETTLE, timeout=600)
        await connection.execute("VACUUM ANALYZE", timeout=600)
    finally:
        await connection.close()


async def _page_ms(database: Database) -> float:
    """The median of a customer's newest page, customers at random."""
    connection = await asyncpg.connect(database.app)
    taken = []
    try:
        for number in range(_PAGES):
            started = time.perf_counter()
            await connection.fetch(_PAGE, TENANT, customer(number * 104_729 % _CUSTOMERS))
            taken.append((time.perf_counter() - started) * 1e3)
    finally:
        await connection.close()
    return statistics.median(taken)


async def _sizes(database: Database) -> tuple[int, int]:
    connection = await asyncpg.connect(database.admin)
    try:
        tables, indexes = await connection.fetchrow(_SIZES)
        return int(tables), int(indexes)
    finally:
        await connection.close()


def _short(count: int) -> str:
    return f"{count // 1_000_000}m" if count >= 1_000_000 else f"{count // 1_000}k"


def _with(found: Row, curve: dict[str, float]) -> Row:
    from dataclasses import replace

    return replace(found, details={**found.details, **curve})
