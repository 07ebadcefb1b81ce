"""A server that is away is named, with what to do about it; no script takes it for drift, nothing is left behind."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from deploy.connections import administrator
from deploy.problems import OperatorError
from deploy.rebuild.schema import new_schema
from shared.ids import new_id
from shared.messaging import history
from shared.messaging.away import KafkaAwayError
from shared.messaging.topics import Topic, apply_topics
from tests.integration.deploy.conftest import NO_DATABASE, Operator
from tests.support.stack import Database, Parts

_DRIFT = "INSERT INTO points.outbox (bucket, records, record_count, created_at) \
    VALUES (0, '', 1, now() - interval '1 hour')"
_SCHEMAS = "SELECT FROM pg_namespace WHERE nspname = '{}'"
_OTHERS = (("rebuild", "points", "--into", "half_way", "--compare"), ("replay", "treue.purchases"))
_OF_TOPICS = {
    *(f"{service}.every_offset_explained" for service in ("gateway", "points", "notifications", "metrics")),
    "kafka.positions_within_logs",
}


@pytest.fixture
def without_postgres(parts: Parts, tmp_path: Path) -> Operator:
    return Operator(tmp_path, NO_DATABASE, parts.kafka_bootstrap)


async def _execute(books: Database, statement: str) -> Any:
    connection = await asyncpg.connect(books.admin)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def test_without_kafka_the_rest_is_audited_and_nobody_takes_it_for_all(
    without_kafka: Operator, books: Database
) -> None:
    code, found, _ = await without_kafka.run("verify")
    unseen = {f"{each['service']}.{each['check']}": each["not_checked"] for each in found["checks"]}
    assert (code, found["drift"], found["not_checked"]) == (2, 0, len(_OF_TOPICS))
    assert {name for name, reason in unseen.items() if reason} == _OF_TOPICS
    assert all("Kafka does not answer" in unseen[name] for name in _OF_TOPICS)
    await _execute(books, _DRIFT)
    try:
        code, found, _ = await without_kafka.run("verify")
    finally:
        await _execute(books, "TRUNCATE points.outbox")
    assert (code, found["drift"], found["not_checked"]) == (1, 1, len(_OF_TOPICS))


async def test_without_postgres_nothing_is_audited_and_that_is_no_drift(without_postgres: Operator) -> None:
    code, found, _ = await without_postgres.run("verify")
    assert code == 2
    assert "database does not answer" in found["error"]
    assert "treue status" in found["next_step"]


async def test_a_database_without_tables_is_not_audited(parts: Parts, tmp_path: Path) -> None:
    code, found, _ = await Operator(tmp_path, parts.database_url, parts.kafka_bootstrap).run("verify")
    assert (code, found["next_step"]) == (2, "`treue migrate` makes its tables.")


async def test_a_tenant_that_nobody_knows_is_not_audited(without_kafka: Operator) -> None:
    code, found, _ = await without_kafka.run("verify", "--tenant", "nosuch")
    assert (code, found["error"]) == (2, "The books know no tenant 'nosuch'.")


async def test_a_kafka_that_goes_away_half_way_is_told_of(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the records is as large as an answer may be."""
    monkeypatch.setattr(history, "_CHUNK_MAX", 1)
    monkeypatch.setattr(history, "_LOOKS_MAX", 4)
    topic = Topic(f"large-{new_id().hex}", 1, {})
    await apply_topics(parts.kafka_bootstrap, [topic])
    producer = AIOKafkaProducer(bootstrap_servers=parts.kafka_bootstrap)
    await producer.start()
    for _ in range(6):
        await producer.send_and_wait(topic.name, b"x" * 900_000, partition=0)
    await producer.stop()
    read = history.read_range(parts.kafka_bootstrap, topic.name, 0, 0, 6)
    assert len(await anext(read)) == 1
    with parts.frozen("kafka"), pytest.raises(KafkaAwayError, match=f"nothing comes of {topic.name}/0"):
        [chunk async for chunk in read]


@pytest.mark.parametrize("asked", _OTHERS, ids=lambda asked: asked[0])
async def test_without_kafka_a_command_says_so_and_leaves_nothing_behind(
    without_kafka: Operator, books: Database, asked: tuple[str, ...]
) -> None:
    code, found, said = await without_kafka.run(*asked)
    assert (code, found["next_step"]) == (1, "Is it up? `treue status` tells.")
    assert "Kafka does not answer" in found["error"]
    assert found["error"] in said
    assert not await _execute(books, _SCHEMAS.format("half_way"))


@pytest.mark.parametrize("asked", [*_OTHERS, ("dead-letters", "list")], ids=lambda asked: asked[0])
async def test_without_postgres_a_command_says_so(without_postgres: Operator, asked: tuple[str, ...]) -> None:
    code, found, _ = await without_postgres.run(*asked)
    assert (code, found["next_step"]) == (1, "Is it up? `treue status` tells.")
    assert "database does not answer" in found["error"]


@pytest.mark.parametrize("name", ["user", "values", "public"])
async def test_a_rebuild_takes_no_name_that_postgres_keeps_or_that_is_there(books: Database, name: str) -> None:
    before = await _execute(books, _SCHEMAS.format(name))
    with pytest.raises(OperatorError, match=name) as refused:
        async with administrator(books.admin) as database, new_schema(database, name, drop=True):
            pytest.fail("it was made")
    assert "--into" in refused.value.next_step
    assert await _execute(books, _SCHEMAS.format(name)) == before


async def test_a_schema_that_cannot_be_dropped_is_named(books: Database) -> None:
    """Its session is killed while the rebuild is at work."""

    async def work() -> None:
        async with administrator(books.admin) as database, new_schema(database, "half_way", drop=False):
            await _execute(books, f"SELECT pg_terminate_backend({database.get_server_pid()})")
            await database.execute("SELECT 1")

    with pytest.raises(OperatorError, match="could not be dropped") as told:
        await work()
    assert "DROP SCHEMA half_way CASCADE" in told.value.next_step
    await _execute(books, "DROP SCHEMA half_way CASCADE")
