"""A server that is away is named, with what to do about it; no script takes it for drift, nothing is left behind."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.description import Description
from deploy.local.folder import StackFolder
from tests.support.platform import run_treue
from tests.support.stack import Database, Parts

_NOBODY = "127.0.0.1:1"
_NO_DATABASE = f"postgresql://treue@{_NOBODY}/treue"
_DRIFT = "INSERT INTO points.outbox (bucket, records, record_count, created_at) \
    VALUES (0, '', 1, now() - interval '1 hour')"
_OF_TOPICS = {
    *(f"{service}.every_offset_explained" for service in ("gateway", "points", "notifications", "metrics")),
    "kafka.positions_within_logs",
}


class Operator:
    """Runs commands on a stack that has these servers."""

    def __init__(self, home: Path, database_url: str, kafka_bootstrap: str) -> None:
        self._home = home
        Description("http://127.0.0.1:1", "t", "k", database_url, kafka_bootstrap).save(StackFolder(home))

    async def run(self, *arguments: str) -> tuple[int, Any, str]:
        done = await asyncio.to_thread(run_treue, self._home, *arguments)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr


@pytest.fixture
def without_kafka(books: Database, tmp_path: Path) -> Operator:
    return Operator(tmp_path, books.admin, _NOBODY)


@pytest.fixture
def without_postgres(parts: Parts, tmp_path: Path) -> Operator:
    return Operator(tmp_path, _NO_DATABASE, parts.kafka_bootstrap)


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
