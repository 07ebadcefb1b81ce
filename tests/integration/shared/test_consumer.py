"""The consumer on the real Kafka and Postgres: effect once, whatever is repeated, broken or in the way."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import transaction
from shared.events.envelope import Record
from shared.messaging import dead_letters
from shared.messaging.lane import Lane
from tests.integration.shared.conftest import Spine
from tests.support.counting import bought
from tests.support.eventually import until


async def test_each_event_has_its_effect_once(spine: Spine) -> None:
    records = [bought(n, spine.topic) for n in range(300)]
    await spine.producer.send(records, deadline_s=10)
    await spine.producer.send(records[:50], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(350)
    assert await spine.value("SELECT sum(total) FROM paid") == 300 * 100
    assert await spine.value("SELECT count(*) FROM inbox WHERE outcome = 'applied'") == 300
    assert await spine.value("SELECT sum(duplicates) FROM consumer_offset") == 50


async def test_a_restart_goes_on_where_it_was_committed(spine: Spine) -> None:
    await spine.producer.send([bought(n, spine.topic) for n in range(100)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(100)
    await spine.producer.send([bought(n, spine.topic) for n in range(100, 150)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(150)
    assert await spine.value("SELECT sum(total) FROM paid") == 150 * 100
    assert await spine.value("SELECT max(epoch) FROM consumer_offset") >= 2


async def test_what_was_given_up_stays_so_when_everything_is_read_again(spine: Spine) -> None:
    spine.application.broken = {"o-7"}
    poison = Record(spine.topic, b"shop:c-1", b"{not json", bought(1, spine.topic).headers)
    await spine.producer.send([*(bought(n, spine.topic) for n in range(20)), poison], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(21)
    spine.application.broken = set()  # the next release could post it
    async with transaction(spine.engine) as tx:
        await tx.raw.execute("UPDATE dead_letter SET state = 'discarded'")
    traces = await _traces(spine)
    async with transaction(spine.engine) as tx:
        await tx.raw.execute("UPDATE consumer_offset SET next_offset = first_offset, last_hash = NULL")
    async with spine.running(spine.consumer()):
        await spine.reaches(21)
    assert await _traces(spine) == traces
    assert not await spine.value("SELECT count(*) FROM inbox i JOIN dead_letter d USING (topic, part, off)")


async def _traces(spine: Spine) -> list[int]:
    tables = ("inbox", "dead_letter", "parked_event")
    return [await spine.value(f"SELECT count(*) FROM {table}") for table in tables]


async def test_nothing_new_is_read_while_the_relay_is_behind(spine: Spine) -> None:
    behind = True
    await spine.producer.send([bought(n, spine.topic) for n in range(20)], deadline_s=10)
    async with spine.running(spine.consumer(held_back=lambda: behind)) as consumer:
        await until(lambda: len(consumer._lanes) == 3)
        await asyncio.sleep(1)
        assert await spine.position() == 0
        behind = False
        await spine.reaches(20)


async def test_the_same_id_with_another_body_is_a_conflict(spine: Spine) -> None:
    await spine.producer.send([bought(1, spine.topic, caller_id="e")], deadline_s=10)
    await spine.producer.send([bought(1, spine.topic, caller_id="e", total=900)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(2)
    assert await spine.value("SELECT sum(total) FROM paid") == 100
    assert await spine.value("SELECT count(*) FROM conflict") == 1


async def test_the_same_id_on_two_partitions_at_once_has_one_effect(spine: Spine) -> None:
    records = [bought(n, spine.topic, customer=f"k-{n}", caller_id=f"e-{n // 5}") for n in range(200)]
    await spine.producer.send(records, deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(200)
    assert await spine.value("SELECT sum(total) FROM paid") == 40 * 100
    assert await spine.value("SELECT count(*) FROM conflict") == 160


async def test_what_is_no_event_becomes_a_dead_letter_and_blocks_nobody(spine: Spine) -> None:
    good = bought(1, spine.topic)
    poison = [
        Record(spine.topic, b"shop:c-1", b"{not json", good.headers),
        Record(spine.topic, b"shop:c-1", b"", []),
        Record(spine.topic, b"\xff\x00", b"\x00\xff", [("ce_id", b"\x00")]),
        Record(spine.topic, b"shop:c-1", b"", [("x", b"\x00, and \\u0000 spelled out")]),
        Record(spine.topic, b"shop:somebody-else", good.value, good.headers),
        Record(spine.topic, good.key, good.value, [(k, v.replace(b":1", b":99")) for k, v in good.headers]),
    ]
    await spine.producer.send([*poison, good], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(7)
    assert await spine.value("SELECT count(*) FROM dead_letter") == 6
    assert await spine.value("SELECT count(*) FROM inbox") == 1
    assert await spine.value("SELECT sum(record_count) FROM outbox") == 7


async def test_an_event_that_breaks_the_handler_is_isolated_and_its_key_parked(spine: Spine) -> None:
    spine.application.broken = {"o-17"}
    await spine.producer.send([bought(n, spine.topic) for n in range(100)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(100)
    dead = await spine.fetch("SELECT record_key, error FROM dead_letter")
    assert [(row["record_key"], row["error"]) for row in dead] == [("shop:c-7", "BrokenError")]
    # Of customer 7's ten purchases one came before the broken one, and eight wait behind it.
    assert await spine.value("SELECT count(*) FROM parked_event WHERE record_key = 'shop:c-7'") == 8
    assert await spine.value("SELECT total FROM paid WHERE customer_id = 'c-7'") == 100
    assert await spine.value("SELECT sum(total) FROM paid") == 91 * 100


async def test_a_handler_that_fails_for_all_stops_the_consumer(spine: Spine) -> None:
    spine.application.all_broken = True
    await spine.producer.send([bought(n, spine.topic, customer=f"k-{n}") for n in range(300)], deadline_s=10)
    consumer = spine.consumer()
    async with spine.running(consumer):
        await until(lambda: len(consumer.halted) == 3)
        assert await spine.value("SELECT count(*) FROM dead_letter") == 60
        assert "BrokenError" in (consumer.problem or "")
        assert await spine.value("SELECT count(*) FROM consumer_offset WHERE halted LIKE '%BrokenError%'") == 3
        spine.application.all_broken = False
        await spine.reaches(300, within_s=30)
        await until(lambda: not consumer.halted)
    assert await spine.value("SELECT count(*) FROM dead_letter") == 60


async def test_a_handler_that_fails_for_many_stops_the_consumer_too(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other event goes well, so there are never twenty in a row."""
    monkeypatch.setattr(dead_letters, "OPEN_MAX", 10)
    spine.application.broken = {f"o-{n}" for n in range(0, 300, 2)}
    await spine.producer.send([bought(n, spine.topic, customer=f"k-{n}") for n in range(300)], deadline_s=10)
    consumer = spine.consumer()
    async with spine.running(consumer):
        await until(lambda: len(consumer.halted) == 3)
        assert "10 open dead letters among" in (consumer.problem or "")
        assert await spine.value("SELECT count(*) FROM dead_letter") == 30
        spine.application.broken = set()
        await spine.reaches(300, within_s=30)
        await until(lambda: not consumer.halted)
    assert await spine.value("SELECT sum(total) FROM paid") == 270 * 100


async def test_what_waits_is_parked_and_applied_in_order_later(spine: Spine) -> None:
    from shared.messaging.unparker import Unparker

    spine.application.waiting = {"o-3"}
    await spine.producer.send([bought(n, spine.topic) for n in range(40)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(40)
        # Its own batch folds past it, later batches of the key park: in both cases nothing is lost.
        assert await spine.value("SELECT count(*) FROM parked_event WHERE record_key = 'shop:c-3'") >= 1
        unparker = Unparker(spine.engine, spine.application)
        await asyncio.sleep(0.5)
        await unparker.try_all()
        assert await spine.value("SELECT count(*) FROM parked_event") >= 1
        spine.application.waiting = set()
        await asyncio.sleep(0.5)
        await unparker.try_all()
    assert await spine.value("SELECT count(*) FROM parked_event") == 0
    assert await spine.value("SELECT sum(total) FROM paid") == 40 * 100


async def test_a_fenced_owner_changes_nothing(spine: Spine) -> None:
    """A zombie holds a claim of yesterday; whoever claimed after it wins."""
    from shared.messaging import offsets
    from shared.messaging.incoming import RawRecord, read
    from shared.messaging.posting import Posting

    posting = Posting(spine.engine, spine.application, service="test")
    old = await offsets.claim(spine.engine, spine.topic, 0, 0, "cluster", "zombie")
    await offsets.claim(spine.engine, spine.topic, 0, 0, "cluster", "heir")
    record = bought(1, spine.topic)
    item = read(RawRecord(spine.topic, 0, 0, record.key, record.value, record.headers, _now()), lambda _: True)
    try:
        await Lane(old, posting, service="test").work([item])
    except offsets.FencedError:
        pass
    else:
        raise AssertionError("the zombie was not fenced")
    assert await spine.value("SELECT count(*) FROM paid") == 0
    assert await spine.value("SELECT count(*) FROM inbox") == 0


async def test_killed_sessions_lose_and_double_nothing(spine: Spine) -> None:
    count = 3_000
    await spine.producer.send([bought(n, spine.topic, customer=f"k-{n % 50}") for n in range(count)], deadline_s=20)
    spine_consumer = spine.consumer()
    object.__setattr__(
        spine_consumer, "_settings", type(spine_consumer._settings)(spine.bootstrap, spine.service, 6_000, 50)
    )
    async with spine.running(spine_consumer):
        for _ in range(80):
            await kill_sessions(spine.engine)
            await asyncio.sleep(0.05)
        await until(lambda: _position_is(spine, count), within_s=60)
    await spine.engine.dispose()
    assert await spine.value("SELECT sum(total) FROM paid") == count * 100
    assert await spine.value("SELECT count(*) FROM dead_letter") == 0


async def _position_is(spine: Spine, count: int) -> bool:
    try:
        return await spine.position() == count
    except Exception:
        return False


async def kill_sessions(engine: AsyncEngine) -> None:
    try:
        async with transaction(engine) as tx:
            await tx.raw.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = current_user AND pid <> pg_backend_pid() AND datname = current_database()"
            )
    except Exception:
        return


def _now():
    from shared.clock import SystemClock

    return SystemClock().now()
