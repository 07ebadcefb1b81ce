"""Row 24: the log is not the one that was applied: another cluster, truncated, made anew. Whoever sees that stands
still, says so everywhere, and stops nobody else.

What each looks like to a single consumer is in tests/integration/shared/test_claiming.py."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from deploy.chaos.judge import Court, in_a_thread
from deploy.chaos.load import PURCHASES, purchase
from tests.support.asking import rows, wait_for
from tests.support.halts import consumers_problem, said_everywhere
from tests.support.load import load_on, open_court
from tests.support.platform import Platform
from tests.support.workers import WORKER, without

_TOPIC = "treue.purchases"
_CUSTOMERS = [f"c-{number}" for number in range(24)]
_CLUSTER = "UPDATE points.consumer_offset SET cluster_id = $1"
_PLACES = "SELECT event_id::text AS id, part, off FROM metrics.inbox WHERE event_id = any($1::uuid[])"
_POSITIONS = "SELECT part, next_offset FROM points.consumer_offset WHERE topic = $1 ORDER BY part"


def test_another_cluster_halts_and_goes_on_when_it_is_put_back(platform: Platform) -> None:
    (known,) = rows(platform, "SELECT DISTINCT cluster_id FROM points.consumer_offset")
    with load_on(platform) as load:
        load.progressed(20)
        with without(platform, WORKER):
            rows(platform, _CLUSTER, "another")
        pid, before = platform.pid(WORKER), _positions(platform)
        try:
            wait_for(lambda: all("of cluster another" in why for why in said_everywhere(platform)))
            load.progressed(20)
            assert _positions(platform) == before
        finally:
            rows(platform, _CLUSTER, known["cluster_id"])
        platform.wait_until_ready()
        wait_for(lambda: said_everywhere(platform)[:3] == ("", "", ""))
    assert platform.pid(WORKER) == pid


@pytest.fixture
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that loses data, and is thrown away."""
    platform = Platform(tmp_path_factory.mktemp("doomed"))
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


def test_a_topic_that_was_truncated_or_made_anew_halts_and_says_what_is_missing(doomed: Platform) -> None:
    court = open_court(doomed)
    _bought(doomed, court, "before")
    wait_for(lambda: set(_balances(court).values()) == {10})
    _truncated(doomed, court)
    _made_anew(doomed, court)


def _truncated(doomed: Platform, court: Court) -> None:
    """One partition, beyond the position of the worker, who was away."""
    with without(doomed, WORKER):
        places = _bought(doomed, court, "missed")
        part, _ = places[_CUSTOMERS[0]]
        begins, stood = max(offset for at, offset in places.values() if at == part) + 1, _positions(doomed)[part]
        in_a_thread(_delete_records(doomed.kafka_bootstrap, part, begins))
    why = f"{_TOPIC}/{part} stands at {stood}, but the log begins at {begins}: retention took events"
    wait_for(lambda: all(why in said for said in said_everywhere(doomed)))
    found = _audited(doomed)
    assert [(row["topic"], row["part"]) for row in found["points", "no_partition_halted"]] == [(_TOPIC, str(part))]
    (missing,) = found["kafka", "positions_within_logs"]
    said = [missing[name] for name in ("service", "part", "next_offset", "log_first")]
    assert said == ["points", str(part), str(stood), str(begins)]
    wanted = {customer: 10 if at == part else 20 for customer, (at, _) in places.items()}
    assert set(wanted.values()) == {10, 20}
    wait_for(lambda: _balances(court) == wanted)


def _made_anew(doomed: Platform, court: Court) -> None:
    workers = (WORKER, "metrics-worker")
    doomed.stack.supervisor.stop(workers)
    in_a_thread(_delete_topic(doomed.kafka_bootstrap))
    wait_for(lambda: _TOPIC in doomed.stack.wait_for_kafka())
    doomed.stack.supervisor.start(workers)
    for name in workers:
        wait_for(lambda name=name: "the log ends at 0: it was truncated" in consumers_problem(doomed, name))
    wait_for(lambda: all("the log ends at 0" in said for said in said_everywhere(doomed)))
    found = _audited(doomed)
    assert found["metrics", "no_partition_halted"]
    assert {row["log_end"] for row in found["kafka", "positions_within_logs"]} == {"0"}
    # The other topics of the same worker go on.
    with closing(court.till()) as till:
        assert till.once("PUT", "/v1/customers/newcomer", {"name": "Ada"})[0] == 202
        wait_for(lambda: till.once("GET", "/v1/customers/newcomer/balance")[0] == 200)


def _bought(platform: Platform, court: Court, name: str) -> dict[str, tuple[int, int]]:
    """Everybody buys for 10.00. Where each purchase stands in the log, once metrics has them all."""
    with closing(court.till()) as till:
        events = {
            customer: till.send(PURCHASES, purchase(customer, f"{name}-{customer}", 1000)).event_id
            for customer in _CUSTOMERS
        }

    def places() -> dict[str, tuple[int, int]]:
        found = {row["id"]: (row["part"], row["off"]) for row in rows(platform, _PLACES, list(events.values()))}
        return {customer: found[event] for customer, event in events.items() if event in found}

    return dict(wait_for(lambda: found if len(found := places()) == len(events) else None))


def _balances(court: Court) -> dict[str, int]:
    with closing(court.till()) as till:
        answers = {customer: till.once("GET", f"/v1/customers/{customer}/balance") for customer in _CUSTOMERS}
    return {customer: answer["available"] if status == 200 else 0 for customer, (status, answer) in answers.items()}


def _positions(platform: Platform) -> dict[int, int]:
    return {row["part"]: row["next_offset"] for row in rows(platform, _POSITIONS, _TOPIC)}


def _audited(platform: Platform) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The rows that `treue verify` names, by its checks."""
    done = platform.run_treue("verify")
    assert done.returncode == 1, done.stderr
    return {(check["service"], check["check"]): check["rows"] for check in json.loads(done.stdout)["checks"]}


async def _delete_records(bootstrap: str, part: int, before: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(_TOPIC, part): RecordsToDelete(before)})
    finally:
        await admin.close()


async def _delete_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([_TOPIC])
    finally:
        await admin.close()
