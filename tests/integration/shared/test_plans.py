"""How what a batch asks for is planned while the tables are empty: sessions keep such plans while the tables grow."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.metrics.adapters import customers as metrics_customers
from services.metrics.adapters import orders as metrics_orders
from services.metrics.bootstrap import MIGRATIONS as METRICS
from services.notifications.adapters import customers as notifications_customers
from services.notifications.bootstrap import MIGRATIONS as NOTIFICATIONS
from services.points.adapters import arrivals, balances, wallets
from services.points.adapters import orders as points_orders
from services.points.bootstrap import MIGRATIONS as POINTS
from shared import erasures
from shared.db.engine import create_engine
from shared.db.migrate import migrate
from shared.db.transaction import transaction
from shared.messaging import dead_letters, inbox
from tests.support.stack import Database

# Statements are nobody's business but their module's, and this test's.
_EVERYWHERE = (inbox._KNOWN, dead_letters._IN_THE_WAY)
_POINTS = (points_orders._LOCK, wallets._LOCK, arrivals._DECIDED, balances._READ, erasures._FIND, erasures._JUDGED)
_METRICS = (metrics_orders._LOCK, metrics_customers._LOCK, metrics_customers._KNOWN_DAYS, erasures._FIND)
_NOTIFICATIONS = (notifications_customers._LOCK, notifications_customers._WORDS, notifications_customers._WITHDRAWALS)
_STATEMENTS = {
    "points": (POINTS, _POINTS),
    "metrics": (METRICS, _METRICS),
    "notifications": (NOTIFICATIONS, (*_NOTIFICATIONS, erasures._FIND)),
}


@pytest.mark.parametrize("service", _STATEMENTS)
async def test_an_empty_table_is_asked_by_its_keys_too(
    database: Callable[[str], Awaitable[Database]], service: str
) -> None:
    migrations, own = _STATEMENTS[service]
    real = await database(service)
    await migrate(real.owner, service, migrations)
    owner = create_engine(real.owner, name="test", pool_size=1)
    async with owner.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        await raw.execute("VACUUM ANALYZE")  # from now on the planner believes that they are empty
    await owner.dispose()
    worker = create_engine(real.app, name="test", pool_size=1, by_keys=True)
    async with transaction(worker) as tx:
        await tx.raw.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        for statement in (*_EVERYWHERE, *own):
            plan = await _plan_of(tx.raw, statement)
            assert "Index" in plan
            assert not re.search("Seq Scan|Hash", plan), plan
    await worker.dispose()


async def _plan_of(raw: Any, statement: str) -> str:
    nothing = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", statement))))
    await raw.execute(f"PREPARE asked AS {statement}")
    plan = await raw.fetch(f"EXPLAIN EXECUTE asked ({nothing})")
    await raw.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in plan)
