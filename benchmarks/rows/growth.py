"""What posting and reading cost when the ledger is large."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta

import asyncpg

from benchmarks import posting_runs
from benchmarks.harness import Goal, Row, Sample, medians, row
from benchmarks.history import CUSTOMERS, DAYS, fill_metrics, fill_points
from benchmarks.machine import Database, Machine
from benchmarks.shop import TENANT, customer, fill_topic
from benchmarks.size import Size
from services.metrics.adapters import queries
from services.metrics.domain.period import Period
from services.points.adapters import entries
from services.points.adapters.balances import BalanceReader
from shared.db.engine import create_engine
from shared.db.transaction import transaction

_READS = 200
_FIGURES = 5
_FIRST_DAY = date(2025, 10, 9)
_MONTH = Period(_FIRST_DAY, _FIRST_DAY + timedelta(days=DAYS))
_SIZES = """
    SELECT sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'r') AS tables,
        sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'i') AS indexes
    FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'i')
"""


def growth(machine: Machine, size: Size) -> list[Row]:
    """`growth_5m`: posting into a large ledger beside an almost empty one; and the curve on the way there."""
    with ExitStack() as stack:
        small, large = (stack.enter_context(machine.database("points")) for _ in range(2))
        figures = stack.enter_context(machine.database("metrics"))
        for database in (small, large):
            posting_runs.open_shop(database, "points")
        asyncio.run(fill_points(small, 0, size.growth[0]))
        curve: dict[str, float] = {}
        there = 0
        posting = _Posting(machine, size)
        pairs: list[tuple[Sample, Sample]] = []
        for level in size.growth:
            asyncio.run(_fill(large, figures, there, level))
            there = level
            posting.post(large)  # warm: the first batches after a checkpoint write whole pages
            rounds = size.rounds if level == size.growth[-1] else 1
            pairs = [(posting.post(large), posting.post(small)) for _ in range(rounds)]
            curve |= _point(level, large, figures, pairs)
        found = row(
            f"growth_{_short(there)}", f"posting at {there:,} entries of {CUSTOMERS:,} customers",
            "posting into an almost empty ledger of as many customers", "events/s", pairs, Goal(0.85, 0.95),
        )  # fmt: skip
        return [replace(found, details={**found.details, **curve})]


async def _fill(ledger: Database, figures: Database, there: int, level: int) -> None:
    await asyncio.gather(fill_points(ledger, there, level), fill_metrics(figures, there, level))


class _Posting:
    """Every run needs events that nobody has seen: the consumers of both databases go on from where they stand."""

    def __init__(self, machine: Machine, size: Size) -> None:
        self._machine, self._events = machine, size.growth_events
        self._written = size.events

    def post(self, database: Database) -> Sample:
        machine, prefix = self._machine, f"g{self._written}"
        asyncio.run(posting_runs.skip_to_end(machine.kafka, database))
        asyncio.run(fill_topic(machine.kafka, self._events, CUSTOMERS, prefix))
        self._written += self._events
        return posting_runs.run(machine, database, "points", self._written, events=self._events)


def _point(level: int, ledger: Database, figures: Database, pairs: list[tuple[Sample, Sample]]) -> dict[str, float]:
    costs = medians([ours for ours, _ in pairs])
    tables, indexes = asyncio.run(_sizes(ledger, "points"))
    days, day_indexes = asyncio.run(_sizes(figures, "metrics"))
    measured = {
        "posting": statistics.median(ours.rate for ours, _ in pairs),
        "wal_bytes": costs["wal_bytes"],
        "postgres_us": costs["postgres_us"],
        "tables_mb": tables / 2**20,
        "indexes_mb": indexes / 2**20,
        "metrics_mb": (days + day_indexes) / 2**20,
        **asyncio.run(_reading_ms(ledger)),
        **asyncio.run(_figures_ms(figures)),
    }
    return {f"{name}_{_short(level)}": value for name, value in measured.items()}


async def _reading_ms(ledger: Database) -> dict[str, float]:
    """A balance and a customer's newest page, customers at random, one after the other."""
    engine = create_engine(ledger.app, name="bench", pool_size=2)
    reader = BalanceReader(engine, connections=1)

    async def balance(number: int) -> None:
        await reader.read(TENANT, customer(number * 104_729 % CUSTOMERS))

    async def page(number: int) -> None:
        async with transaction(engine) as tx:
            await entries.page(tx, TENANT, customer(number * 104_729 % CUSTOMERS), entries.NEWEST, 50)

    try:
        return {"balance_ms": await _median_ms(balance, _READS), "page_ms": await _median_ms(page, _READS)}
    finally:
        await engine.dispose()


async def _figures_ms(figures: Database) -> dict[str, float]:
    """What the metrics api asks for a period that holds all of the history."""
    engine = create_engine(figures.app, name="bench", pool_size=1)

    async def repeat_purchase(_: int) -> None:
        async with transaction(engine) as tx:
            await queries.repeat_purchase(tx, TENANT, _MONTH)

    async def order_value(_: int) -> None:
        async with transaction(engine) as tx:
            await queries.order_value(tx, TENANT, _MONTH)

    try:
        return {
            "repeat_purchase_ms": await _median_ms(repeat_purchase, _FIGURES),
            "order_value_ms": await _median_ms(order_value, _FIGURES),
        }
    finally:
        await engine.dispose()


async def _median_ms(ask: Callable[[int], Awaitable[None]], times: int) -> float:
    taken = []
    for number in range(times):
        started = time.perf_counter()
        await ask(number)
        taken.append((time.perf_counter() - started) * 1e3)
    return statistics.median(taken)


async def _sizes(database: Database, service: str) -> tuple[int, int]:
    connection = await asyncpg.connect(database.admin)
    try:
        tables, indexes = await connection.fetchrow(_SIZES, service)
        return int(tables), int(indexes)
    finally:
        await connection.close()


def _short(count: int) -> str:
    return f"{count // 1_000_000}m" if count >= 1_000_000 else f"{count // 1_000}k"
