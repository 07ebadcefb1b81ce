"""Row 8: the database's disk is full, as the server says it (53100), half-way through a batch; then there is room."""

import asyncio

import asyncpg

from deploy.roles import database_url
from tests.integration.shared.conftest import Spine
from tests.support.counting import bought
from tests.support.stack import Parts

_FULL = (
    "CREATE FUNCTION points.full() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$",
    # The inbox is written after the service's own tables.
    "CREATE TRIGGER full_disk BEFORE INSERT ON points.inbox EXECUTE FUNCTION points.full()",
)


async def test_a_full_disk_is_waited_for_without_a_dead_letter_or_half_a_batch(spine: Spine, parts: Parts) -> None:
    admin = await asyncpg.connect(database_url(parts.database_url, spine.engine.url.database or ""))
    try:
        for statement in _FULL:
            await admin.execute(statement)
        await spine.producer.send([bought(n, spine.topic) for n in range(50)], deadline_s=10)
        async with spine.running(spine.consumer()):
            await asyncio.sleep(2)
            assert await spine.value("SELECT count(*) FROM paid") == 0
            assert await spine.position() == 0
            await admin.execute("DROP FUNCTION points.full CASCADE")
            await spine.reaches(50)
    finally:
        await admin.close()
    assert await spine.value("SELECT sum(total) FROM paid") == 50 * 100
    assert await spine.value("SELECT count(*) FROM dead_letter") == 0
