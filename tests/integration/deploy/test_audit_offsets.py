"""Each offset that a consumer passed is accounted for by a row or by the record itself: sums that come out even by
chance hide nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from deploy.audit import holes
from deploy.audit.check import Finding, run
from deploy.audit.completeness import completeness
from deploy.audit.explained import Explaining, check_of
from deploy.roles import database_url
from shared.events.envelope import Record
from shared.ids import event_id
from tests.integration.shared.conftest import Spine
from tests.support.counting import TENANT, bought
from tests.support.stack import Parts

_RECORDS = 100
_LOSE = "DELETE FROM points.{} WHERE event_id = $1 RETURNING topic, part, off"
_COUNT_ONE_MORE = "UPDATE points.consumer_offset SET {0} = {0} + 1 WHERE (topic, part) = ($1, $2)"


@pytest.fixture
async def passed(spine: Spine) -> Spine:
    """Every kind of record went by: applied, repeated, in conflict, foreign, without a value, no event at all, refused
    and parked behind a refused one, and a repetition of a parked one."""
    usual = [bought(n, spine.topic) for n in range(60)]
    spine.application.broken, spine.application.waiting = {"o-7"}, {"o-8"}
    repeated = usual[20:30]
    conflicts = [bought(n, spine.topic, total=1) for n in range(30, 36)]
    foreign = [_changed(each, type_=b"loyalty.astonished") for each in usual[:5]]
    tombstones = [Record(each.topic, each.key, None, each.headers) for each in usual[:5]]  # type: ignore[arg-type]
    poison = [Record(each.topic, each.key, b"{", each.headers) for each in usual[:4]]
    waiting_twice = [usual[8]] * 10
    everything = [*usual, *repeated, *conflicts, *foreign, *tombstones, *poison, *waiting_twice]
    assert len(everything) == _RECORDS
    for record in waiting_twice:  # in one batch with the first of them, and in later ones
        await spine.producer.send([record], deadline_s=10)
    await spine.producer.send(everything[: -len(waiting_twice)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(_RECORDS)
    return spine


def _changed(record: Record, type_: bytes) -> Record:
    headers = [(name, type_ if name == "ce_type" else value) for name, value in record.headers]
    return Record(record.topic, record.key, record.value, headers)


@asynccontextmanager
async def _administrator(spine: Spine, parts: Parts) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url(parts.database_url, spine.engine.url.database or ""))
    try:
        yield connection
    finally:
        await connection.close()


async def _explained(spine: Spine, connection: asyncpg.Connection) -> Finding:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        explaining = Explaining(connection, "points", spine.application.events.__contains__)
        counted = await explaining.look(spine.bootstrap)
        return Finding(check_of("points"), counted, explaining.differing, explaining.rows, explaining.gone)


@pytest.mark.parametrize("near", [0, holes._NEAR], ids=["each hole by itself", "neighbours in one go"])
async def test_all_that_was_passed_explains_itself(
    passed: Spine, parts: Parts, near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holes, "_NEAR", near)
    async with _administrator(passed, parts) as connection:
        counts = await connection.fetchrow(
            "SELECT sum(duplicates) >= 8, sum(conflicts), sum(ignored) FROM points.consumer_offset"
        )
        assert tuple(counts) == (True, 6, 10)
        found = await _explained(passed, connection)
    assert (found.counted, found.differing, found.left_out) == (_RECORDS, 0, 0), found.rows


# Applied; refused; parked behind the refused one. None of them came twice.
@pytest.mark.parametrize(("table", "order"), [("inbox", "o-50"), ("dead_letter", "o-7"), ("parked_event", "o-17")])
@pytest.mark.parametrize("count", ["duplicates", "conflicts", "ignored"])
async def test_a_lost_row_is_named_though_the_sums_come_out_even(
    passed: Spine, parts: Parts, table: str, order: str, count: str
) -> None:
    lost = event_id(TENANT, "event", order)
    async with _administrator(passed, parts) as connection:
        topic, part, off = await connection.fetchrow(_LOSE.format(table), lost)
        await connection.execute(_COUNT_ONE_MORE.format(count), topic, part)
        sums = await run(connection, completeness("points")[0], None)
        assert sums.differing == 0, "the sums do not show it: that is why every offset is looked at"
        found = await _explained(passed, connection)
    named = [row for row in found.rows if row.get("event_id") == lost]
    assert [(row["tenant"], row["topic"], row["part"], row["off"]) for row in named] == [(TENANT, topic, part, off)]


async def test_a_record_counted_as_what_it_is_not_is_told(passed: Spine, parts: Parts) -> None:
    async with _administrator(passed, parts) as connection:
        part = await connection.fetchval("SELECT part FROM points.consumer_offset WHERE conflicts > 0 ORDER BY part")
        await connection.execute(
            "UPDATE points.consumer_offset SET conflicts = conflicts - 1, ignored = ignored + 1 WHERE part = $1", part
        )
        found = await _explained(passed, connection)
    assert found.differing == 1
    assert found.rows[0]["part"] == part
    assert found.rows[0]["found_ignored"] == found.rows[0]["ignored"] - 1


async def test_a_position_moved_beyond_the_log_is_one_row_however_far(passed: Spine, parts: Parts) -> None:
    async with _administrator(passed, parts) as connection:
        end = await connection.fetchval("SELECT next_offset FROM points.consumer_offset WHERE part = 0")
        await connection.execute("UPDATE points.consumer_offset SET next_offset = 10^12::bigint WHERE part = 0")
        found = await _explained(passed, connection)
    assert (found.differing, found.rows[0]["off"], found.rows[0]["up_to"]) == (1, end, 10**12 - 1), found.rows


async def test_what_retention_took_from_the_log_is_left_out(passed: Spine, parts: Parts) -> None:
    holes_of_partitions = "SELECT part, duplicates + conflicts + ignored FROM points.consumer_offset ORDER BY part"
    async with _administrator(passed, parts) as connection:
        await _forget(passed, part=0)
        found = await _explained(passed, connection)
        assert (found.differing, found.left_out) == (0, dict(await connection.fetch(holes_of_partitions))[0]), (
            found.rows
        )


async def _forget(spine: Spine, part: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=spine.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(spine.topic, part): RecordsToDelete(before_offset=-1)})
    finally:
        await admin.close()
