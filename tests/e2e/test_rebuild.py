"""G5 on the whole platform: the topics, folded into an empty schema, give the tables that are live."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from tests.support.platform import Platform

# A change that no event explains, and the table in which the comparison must show it.
PLANTS = {
    "points": ("UPDATE points.wallet SET lifetime_earned = lifetime_earned + 1", "wallet"),
    "metrics": ("UPDATE metrics.customer_state SET gross_minor = gross_minor + 1", "customer_state"),
    "notifications": ("UPDATE notifications.profile SET state = 'erased'", "profile"),
}


async def _compared(platform: Platform, service: str) -> tuple[int, dict[str, Any]]:
    done = await asyncio.to_thread(
        platform.run_treue, "rebuild", service, "--into", f"rebuilt_{service}", "--compare", "--drop"
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("service", PLANTS)
async def test_a_fold_of_the_topics_equals_the_live_tables_and_shows_what_does_not(
    platform: Platform, service: str
) -> None:
    await asyncio.to_thread(platform.treue, "demo")
    code, found = await _compared(platform, service)
    assert (code, found["differing"]) == (0, 0), found
    assert all(table["rows"] for table in found["tables"] if table["table"] in ("inbox", PLANTS[service][1])), found

    database = await asyncpg.connect(platform.description.database_url)
    try:
        # Planted for good, then taken back: the comparison has a session of its own and must see it.
        await database.execute(f"CREATE TABLE {service}.kept AS SELECT * FROM {service}.{PLANTS[service][1]}")
        await database.execute(PLANTS[service][0])
        code, found = await _compared(platform, service)
        assert code == 1
        assert [table["table"] for table in found["tables"] if table["differing"]] == [PLANTS[service][1]]
    finally:
        await database.execute(f"TRUNCATE {service}.{PLANTS[service][1]}")
        await database.execute(f"INSERT INTO {service}.{PLANTS[service][1]} SELECT * FROM {service}.kept")
        await database.execute(f"DROP TABLE {service}.kept")
        await database.close()
