"""What the database itself refuses."""

import asyncpg
import pytest

from services.notifications.domain.message import TRANSITIONS, Status
from shared.db.transaction import transaction
from tests.integration.notifications.world import World, customer, earned

OPEN = {Status.WAITING, Status.QUEUED, Status.SENDING}


@pytest.mark.parametrize("now", Status)
async def test_only_legal_transitions(world: World, now: Status) -> None:
    await world.receive(customer())
    await world.receive(earned())
    async with world.undone() as connection:
        await connection.execute("ALTER TABLE message DISABLE TRIGGER message_status_changes")
        await connection.execute(_becomes(now))
        await connection.execute("ALTER TABLE message ENABLE TRIGGER message_status_changes")
        for then in set(Status) - {now}:
            assert await _may_become(connection, then) == (then in TRANSITIONS[now]), (now, then)


async def _may_become(connection: asyncpg.Connection, then: Status) -> bool:
    attempt = connection.transaction()
    await attempt.start()
    try:
        await connection.execute(_becomes(then))
    except asyncpg.CheckViolationError:
        return False
    else:
        return True
    finally:
        await attempt.rollback()


def _becomes(status: Status) -> str:
    due = "now()" if status in OPEN else "NULL"
    sent = "now()" if status is Status.SENT else "NULL"
    changes = f"status = '{status}', reason = 'x', due_at = {due}, sent_at = {sent}"
    return f"UPDATE message SET {changes} WHERE channel = 'email'"


@pytest.mark.parametrize("table", ["consent", "suppression", "attempt", "inbox"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET tenant = ''", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
async def test_the_service_cannot_rewrite_history(world: World, statement: str, table: str) -> None:
    await refused(world, statement.format(table))


@pytest.mark.parametrize("table", ["message", "profile", "programme"])
async def test_the_service_cannot_make_anything_unseen(world: World, table: str) -> None:
    await refused(world, f"DELETE FROM {table}")


async def refused(world: World, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(world.engine) as tx:
            await tx.raw.execute(statement)
