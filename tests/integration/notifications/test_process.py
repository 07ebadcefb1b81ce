"""The whole worker, started and stopped for real."""

from datetime import datetime

import pytest

from shared.clock import SystemClock
from shared.ids import new_id
from tests.conftest import DatabaseFactory
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.worker_process import Worker
from tests.integration.notifications.world import customer, earned, programme
from tests.support.eventually import until
from tests.support.stack import Parts


@pytest.fixture
async def worker(parts: Parts, database: DatabaseFactory, box: MailServer) -> Worker:
    worker = Worker(parts, await database("notifications"), box.port)
    assert await (await worker.run("migrate")).wait() == 0
    return worker


def now() -> datetime:
    return SystemClock().now()


async def test_from_kafka_to_the_mail_server_and_an_end_in_order(worker: Worker, box: MailServer) -> None:
    tenant = f"tenant-{new_id()}"
    # The event is there before its customer, and both before their tenant: topics overtake each other.
    await worker.publish(tenant, earned(occurred_at=now()))
    async with worker.running():
        await worker.publish(tenant, customer())
        await worker.publish(tenant, programme())
        await until(lambda: box.taken, within_s=40)
        await worker.publish(tenant, earned(occurred_at=now()))
        await until(lambda: len(box.taken) == 2, within_s=40)
    assert len(set(box.ids())) == 2
