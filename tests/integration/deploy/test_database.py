"""Roles and schemas, applied again and again."""

import asyncpg
import pytest

from deploy.database import bootstrap
from deploy.environment import SERVICES
from deploy.roles import AUDITOR, role_url
from tests.conftest import DatabaseFactory
from tests.support.stack import Parts


async def test_bootstrap_repeats_without_harm_and_separates_the_services(
    parts: Parts, database: DatabaseFactory
) -> None:
    points = await database("points")
    passwords = parts.stack.credentials.passwords
    for _ in range(2):
        await bootstrap(points.admin, passwords)
    app = await asyncpg.connect(points.app)
    assert await app.fetchval("SELECT current_schema()") == "points"
    for other in set(SERVICES) - {"points"}:
        assert not await app.fetchval("SELECT has_schema_privilege($1, 'USAGE')", other)
    await app.close()


async def test_the_auditor_reads_everything_and_writes_nothing(parts: Parts, database: DatabaseFactory) -> None:
    points = await database("points")
    owner = await asyncpg.connect(points.owner)
    await owner.execute("CREATE TABLE wallets AS SELECT 7 AS points")
    await owner.close()
    auditor = await asyncpg.connect(role_url(points.admin, AUDITOR, parts.stack.credentials.password(AUDITOR)))
    assert await auditor.fetchval("SELECT points FROM points.wallets") == 7
    await auditor.execute("SET default_transaction_read_only = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await auditor.execute("DELETE FROM points.wallets")
    await auditor.close()


async def test_a_rotated_password_takes_hold(parts: Parts, database: DatabaseFactory) -> None:
    metrics = await database("metrics")
    passwords = parts.stack.credentials.passwords
    await bootstrap(metrics.admin, passwords | {"treue_metrics": "it's \\new"}, ("metrics",))
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(metrics.app)
        app = await asyncpg.connect(role_url(metrics.admin, "treue_metrics", "it's \\new"))
        await app.close()
    finally:
        await bootstrap(metrics.admin, passwords, ("metrics",))
