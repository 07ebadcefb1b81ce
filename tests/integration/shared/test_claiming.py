"""A log that is not the one we know halts its partition and says so; it goes on by itself when that is set right."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

import shared.messaging.consumer as consumer_module
from deploy.roles import database_url
from shared.events.envelope import Record
from shared.ids import new_id
from shared.messaging import claiming
from shared.messaging.topics import Topic, apply_topics
from tests.integration.shared.conftest import Spine
from tests.support.counting import bought
from tests.support.eventually import until
from tests.support.stack import Parts


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Halted partitions are looked at again after a moment."""
    monkeypatch.setattr(consumer_module, "_HALT_RETRY_S", 0.2)


async def _applied(spine: Spine, count: int) -> None:
    await spine.producer.send([bought(n, spine.topic) for n in range(count)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(count)


async def _halts(spine: Spine, word: str) -> None:
    before = await spine.value("SELECT sum(total) FROM paid")
    consumer = spine.consumer()
    async with spine.running(consumer):
        await until(lambda: consumer.halted)
        assert all(word in why for why in consumer.halted.values()), consumer.halted
        assert word in (consumer.problem or "")
        # Long enough to be claimed anew some times: what halted once must not slip through later.
        await asyncio.sleep(1.5)
        assert word in (consumer.problem or "")
        assert await spine.value("SELECT count(*) > 0 FROM consumer_offset WHERE halted LIKE $1", f"%{word}%")
    assert await spine.value("SELECT sum(total) FROM paid") == before


async def test_many_partitions_are_claimed_at_once(spine: Spine) -> None:
    """Each question to Kafka may wait half a second behind a fetch: one for each partition would be a long pause."""
    many = f"test.{new_id().hex}"
    await apply_topics(spine.bootstrap, [Topic(many, 24, {})])
    spine.application.topics = [many]
    consumer = spine.consumer()
    async with spine.running(consumer):
        await until(lambda: consumer.connected)
        await until(lambda: len(consumer._lanes) == 24, within_s=4)


async def test_a_position_beyond_the_end_halts(spine: Spine) -> None:
    await _applied(spine, 30)
    await spine.fetch("UPDATE consumer_offset SET next_offset = next_offset + 1000")
    await _halts(spine, "truncated or recreated")


async def test_another_cluster_halts_until_it_is_accepted(spine: Spine) -> None:
    await _applied(spine, 30)
    await spine.fetch("UPDATE consumer_offset SET cluster_id = 'another'")
    await _halts(spine, "cluster another")
    consumer = spine.consumer()
    async with spine.running(consumer):
        await until(lambda: len(consumer.halted) == 3)
        from shared.messaging.topics import cluster_id

        await spine.fetch("UPDATE consumer_offset SET cluster_id = $1", await cluster_id(spine.bootstrap))
        await until(lambda: not consumer.halted)


async def test_retention_that_took_what_was_not_applied_halts(spine: Spine) -> None:
    await _applied(spine, 30)
    await spine.producer.send([bought(n, spine.topic) for n in range(30, 90)], deadline_s=10)
    admin = AIOKafkaAdminClient(bootstrap_servers=spine.bootstrap)
    await admin.start()
    ends = {row["part"]: row["next_offset"] + 2 for row in await spine.fetch("SELECT * FROM consumer_offset")}
    await admin.delete_records({TopicPartition(spine.topic, part): RecordsToDelete(end) for part, end in ends.items()})
    await admin.close()
    await _halts(spine, "retention took events")


async def test_a_recreated_topic_halts_even_when_it_is_longer(spine: Spine) -> None:
    await _applied(spine, 30)
    await _recreate_longer(spine)
    await _halts(spine, "another record")


async def test_a_topic_that_is_recreated_under_a_running_worker_halts_it(spine: Spine) -> None:
    consumer = spine.consumer()
    await spine.producer.send([bought(n, spine.topic) for n in range(30)], deadline_s=10)
    async with spine.running(consumer):
        await spine.reaches(30)
        await _recreate_longer(spine)
        await until(lambda: len(consumer.halted) == 3, within_s=40)
        assert all("another record" in why for why in consumer.halted.values())
    assert await spine.value("SELECT sum(total) FROM paid") == 30 * 100


async def _recreate_longer(spine: Spine) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=spine.bootstrap)
    await admin.start()
    await admin.delete_topics([spine.topic])
    await admin.close()

    async def made_again() -> bool:
        return spine.topic in await apply_topics(spine.bootstrap, [Topic(spine.topic, 3, {})])

    await until(made_again)

    async def sent() -> bool:
        await spine.producer.send([bought(n, spine.topic, total=7) for n in range(100)], deadline_s=5)
        return True

    await asyncio.sleep(1)
    await until(sent)


async def test_a_position_that_was_moved_by_hand_halts_a_running_worker_until_it_is_put_back(spine: Spine) -> None:
    await spine.producer.send([bought(n, spine.topic) for n in range(30)], deadline_s=10)
    consumer = spine.consumer()
    async with spine.running(consumer):
        await spine.reaches(30)
        await spine.fetch("UPDATE consumer_offset SET next_offset = next_offset - 2")
        await spine.producer.send([bought(n, spine.topic) for n in range(30, 60)], deadline_s=10)
        await until(lambda: len(consumer.halted) == 3)
        await asyncio.sleep(1.5)
        assert await spine.value("SELECT count(*) FROM consumer_offset WHERE halted LIKE '%another record%'") == 3
        await spine.fetch("UPDATE consumer_offset SET next_offset = next_offset + 2")
        await spine.reaches(60)
        await until(lambda: not consumer.halted)
        assert await spine.value("SELECT count(*) FROM consumer_offset WHERE halted IS NOT NULL") == 0
    assert await spine.value("SELECT sum(total) FROM paid") == 60 * 100


async def test_what_was_set_right_shows_even_when_nothing_comes_any_more(spine: Spine) -> None:
    await _applied(spine, 30)
    await spine.fetch("UPDATE consumer_offset SET next_offset = next_offset - 2")
    consumer = spine.consumer()
    async with spine.running(consumer):
        await until(lambda: len(consumer.halted) == 3)
        await spine.fetch("UPDATE consumer_offset SET next_offset = next_offset + 2")
        await until(lambda: not consumer.halted)
        await until(lambda: _nothing_halted(spine))


async def _nothing_halted(spine: Spine) -> bool:
    return bool(await spine.value("SELECT count(*) = 0 FROM consumer_offset WHERE halted IS NOT NULL"))


async def test_a_worker_that_froze_in_the_middle_of_a_copy_loses_its_partition(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No timeout of the server ends it: the heir does."""
    monkeypatch.setattr(claiming, "_SILENT_S", 1.0)
    await _applied(spine, 30)
    zombie = await asyncpg.connect(spine.engine.url.set(drivername="postgresql").render_as_string(hide_password=False))

    async def stands_still() -> AsyncIterator[bytes]:
        await asyncio.sleep(3600)
        yield b""

    await zombie.execute("BEGIN; SELECT FROM consumer_offset WHERE part = 1 FOR UPDATE")
    frozen = asyncio.create_task(zombie.copy_to_table("inbox", source=stands_still()))
    await spine.producer.send([bought(n, spine.topic) for n in range(30, 60)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(60)
    frozen.cancel()
    await asyncio.gather(frozen, return_exceptions=True)


async def test_a_fault_of_our_own_halts_and_leaves_no_hole(spine: Spine, parts: Parts) -> None:
    """The release may not write dead letters, and the first record is one."""
    admin = await asyncpg.connect(database_url(parts.database_url, spine.engine.url.database or ""))
    await admin.execute("REVOKE INSERT ON points.dead_letter FROM treue_points")
    good = [bought(n, spine.topic, customer="c-1") for n in range(20)]
    await spine.producer.send([Record(spine.topic, good[0].key, b"{not json", good[0].headers)], deadline_s=10)
    await spine.producer.send(good[:10], deadline_s=10)
    consumer = spine.consumer()
    async with spine.running(consumer):
        await until(lambda: consumer.halted)
        assert "permission denied" in (consumer.problem or "")
        await spine.producer.send(good[10:], deadline_s=10)
        await asyncio.sleep(1)
        assert await spine.position() == 0
        await admin.execute("GRANT INSERT ON points.dead_letter TO treue_points")
        await admin.close()
        await spine.reaches(21)
        await until(lambda: not consumer.halted)
    assert await spine.value("SELECT sum(total) FROM paid") == 20 * 100
    assert await spine.value("SELECT sum(gaps) FROM consumer_offset") == 0


async def test_members_that_come_and_go_apply_everything_once(spine: Spine) -> None:
    count = 4_000
    stops: list[asyncio.Event] = []
    tasks: list[asyncio.Task[None]] = []

    def join() -> None:
        stops.append(asyncio.Event())
        tasks.append(asyncio.create_task(spine.consumer().run(stops[-1])))

    async def feed() -> None:
        for start in range(0, count, 200):
            records = [bought(n, spine.topic, customer=f"k-{n % 97}") for n in range(start, start + 200)]
            await spine.producer.send(records, deadline_s=10)
            await asyncio.sleep(0.3)

    join()
    feeding = asyncio.create_task(feed())
    for turn in range(3):
        await asyncio.sleep(1.5)
        join()
        await asyncio.sleep(1.5)
        stops[turn].set()
    await feeding
    await spine.reaches(count, within_s=60)
    for stop in stops:
        stop.set()
    await asyncio.gather(*tasks)
    assert await spine.value("SELECT sum(total) FROM paid") == count * 100
    assert await spine.value("SELECT sum(duplicates + conflicts + gaps) FROM consumer_offset") == 0


async def test_a_position_deleted_while_nothing_comes_is_made_again(spine: Spine, parts: Parts) -> None:
    """The worker that has the partition would meet it with the next record only, perhaps weeks later."""
    await spine.producer.send([bought(n, spine.topic) for n in range(12)], deadline_s=5)
    async with spine.running(spine.consumer()):
        await spine.reaches(12)
        admin = await asyncpg.connect(database_url(parts.database_url, spine.engine.url.database or ""))
        await admin.execute("DELETE FROM points.consumer_offset")
        await admin.close()
        await spine.reaches(12)
    assert await spine.value("SELECT sum(total) FROM paid") == 12 * 100
