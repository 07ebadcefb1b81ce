"""G5 on the whole platform: the topics, folded into an empty schema, give the tables that are live."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.chaos.judge import in_a_thread
from deploy.chaos.load import PURCHASES, RETURNS, purchase, returned
from services.notifications.bootstrap import build_senders
from services.notifications.settings import NotificationsSettings
from shared.db.engine import create_engine
from shared.events.contract import Topic
from shared.ids import new_id
from shared.messaging.history import History
from shared.messaging.topics import log_ranges
from tests.support.asking import rows, wait_for
from tests.support.load import load_on, open_court
from tests.support.platform import Platform
from tests.support.topic_tap import PARTITIONS, records, write

# A change that no event explains, and the table in which the comparison must show it.
PLANTS = {
    "points": ("UPDATE points.wallet SET lifetime_earned = lifetime_earned + 1", "wallet"),
    "metrics": ("UPDATE metrics.customer_state SET gross_minor = gross_minor + 1", "customer_state"),
    "notifications": (
        "UPDATE notifications.profile SET state = 'erased' WHERE state = 'missing'",
        "profile",
    ),
}
_BREAK = """
    CREATE FUNCTION points.broken() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'this release cannot post'; END $$
"""
_TRIGGER = "CREATE TRIGGER broken BEFORE INSERT ON points.entry EXECUTE FUNCTION points.broken()"
_MEND = "DROP FUNCTION points.broken CASCADE"
_LETTER = "SELECT id FROM points.dead_letter WHERE event_id = $1 AND state = 'open'"
_TAKEN = "SELECT 1 FROM points.inbox WHERE event_id = $1"
_ALL_TAKEN = "SELECT 1 FROM {}.inbox WHERE event_id = ANY($1::uuid[])"
_REJECTED = "SELECT 1 FROM points.inbox WHERE tenant = $1 AND outcome = 'rejected'"
_PASSED = "SELECT 1 FROM points.consumer_offset WHERE topic = 'treue.purchases' AND part = $1 AND next_offset > $2"
_MOVE = "UPDATE points.inbox SET part = $2, off = $3 WHERE event_id = $1"
_PARKED = "SELECT 1 FROM points.parked_event WHERE tenant = $1"
_MAILS_WRITTEN = "SELECT count(*) FROM {}.message WHERE tenant = $1 AND channel = 'email'"
_DUE = "SELECT 1 FROM {}.message WHERE status IN ('waiting', 'queued', 'sending')"
_UNDER_WAY = (
    f"{_DUE.format('notifications')} AND tenant = $1",
    "SELECT 1 FROM points.outbox WHERE $1::text IS NOT NULL",
    "SELECT 1 FROM notifications.outbox WHERE $1::text IS NOT NULL",
)
_OF_A_LOST_RECORD = "INSERT INTO notifications.inbox VALUES \
    ('lost', gen_random_uuid(), 'h', 'applied', NULL, NULL, $1, 0, 0, now())"
_OUTGOING = (Topic.POINTS.value, Topic.NOTIFICATIONS.value, Topic.DEAD_LETTERS.value)


async def _compared(platform: Platform, service: str) -> tuple[int, dict[str, Any]]:
    done = await asyncio.to_thread(
        platform.run_treue, "rebuild", service, "--into", f"rebuilt_{service}", "--compare", "--drop"
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("service", PLANTS)
async def test_a_fold_of_the_topics_equals_the_live_tables_and_shows_what_does_not(
    platform: Platform, service: str
) -> None:
    await asyncio.to_thread(platform.treue, "demo")
    code, found = await _compared(platform, service)
    assert (code, found["differing"]) == (0, 0), found
    assert all(table["rows"] for table in found["tables"] if table["table"] in ("inbox", PLANTS[service][1])), found

    database = await asyncpg.connect(platform.description.database_url)
    try:
        # Planted for good, then taken back: the comparison has a session of its own and must see it.
        await database.execute(f"CREATE TABLE {service}.kept AS SELECT * FROM {service}.{PLANTS[service][1]}")
        await database.execute(PLANTS[service][0])
        code, found = await _compared(platform, service)
        assert code == 1
        assert [table["table"] for table in found["tables"] if table["differing"]] == [PLANTS[service][1]]
    finally:
        await database.execute(f"TRUNCATE {service}.{PLANTS[service][1]}")
        await database.execute(f"INSERT INTO {service}.{PLANTS[service][1]} SELECT * FROM {service}.kept")
        await database.execute(f"DROP TABLE {service}.kept")
        await database.close()


def test_a_service_that_goes_on_working_is_compared_at_one_instant(platform: Platform) -> None:
    """Shoppers buy without a pause from before the first statement until after the last."""
    with load_on(platform, shoppers=4, pause_s=0.0) as load:
        load.progressed(200)
        for service in ("points", "metrics"):
            code, found = in_a_thread(_compared(platform, service))
            assert (code, found["differing"]) == (0, 0), found
        load.progressed(50)


def test_what_was_refused_and_what_waits_is_no_difference(platform: Platform) -> None:
    """A release that could not post is mended; nobody has retried its letter yet, which a fold by the mended one would
    post. An event of a tenant that nobody knows waits. Of another the fold meets another copy than the service did."""
    court, run = open_court(platform), new_id().hex[:8]
    with closing(court.till()) as till:
        rows(platform, _BREAK)
        try:
            rows(platform, _TRIGGER)
            refused = till.send(PURCHASES, purchase(f"c-{run}", run, 1000)).event_id
            wait_for(lambda: rows(platform, _LETTER, UUID(refused)))
        finally:
            rows(platform, _MEND)
        taken = till.send(PURCHASES, purchase(f"c-{run}", f"{run}-2", 1000)).event_id
    _write_for_a_tenant_that_nobody_knows(platform, refused, run)
    wait_for(lambda: rows(platform, _PARKED, run))
    with _taken_by_another_copy(platform, taken):
        code, found = in_a_thread(_compared(platform, "points"))
    assert (code, found["differing"]) == (0, 0), found
    counted = {table["table"]: table["rows"] for table in found["tables"]}
    assert min(counted["dead_letter"], counted["parked_event"]) >= 1

    rows(platform, "CREATE TABLE points.kept AS SELECT * FROM points.parked_event")
    try:
        rows(platform, "DELETE FROM points.parked_event WHERE tenant = $1", run)  # lost, and not only waiting
        code, found = in_a_thread(_compared(platform, "points"))
    finally:
        rows(platform, "INSERT INTO points.parked_event SELECT * FROM points.kept ON CONFLICT DO NOTHING")
        rows(platform, "DROP TABLE points.kept")
    assert (code, [table["table"] for table in found["tables"] if table["differing"]]) == (1, ["parked_event"]), found
    (letter,) = rows(platform, _LETTER, UUID(refused))
    assert platform.treue("dead-letters", "retry", str(letter["id"]))["retried"] == 1
    wait_for(lambda: not rows(platform, _LETTER, UUID(refused)))


@pytest.mark.parametrize(("topic", "differing"), [(Topic.CUSTOMERS, 0), (Topic.FEEDBACK, 1)])
def test_only_what_compaction_may_take_is_missed_by_nobody(platform: Platform, topic: Topic, differing: int) -> None:
    """The inbox knows an event that its topic does not hold any more."""
    rows(platform, _OF_A_LOST_RECORD, topic.value)
    try:
        code, found = in_a_thread(_compared(platform, "notifications"))
    finally:
        rows(platform, "DELETE FROM notifications.inbox WHERE tenant = 'lost'")
    assert (code, found["differing"]) == (differing, differing), found


def test_an_order_that_contradicts_itself_is_decided_as_it_was(platform: Platform) -> None:
    """Bought by a guest and then by a customer, or brought back by both, the records lie on two partitions, and only
    the first can have its effect: the live services saw it first, and so does the fold, though it reads side by side.
    Twelve, for each would come out right by chance every other time."""
    court, run = open_court(platform), new_id().hex[:8]
    names = [f"{run}-{number}" for number in range(12)]
    orders = {name: purchase(f"c-{name}", name, 1000) for name in names}
    backs = {name: returned(order, f"{name}-1", 600) for name, order in orders.items()}
    with closing(court.till()) as till:
        for waves in (
            [(PURCHASES, _of_a_guest(orders[name], guest=at % 2 == 0)) for at, name in enumerate(names)],
            [(PURCHASES, _again(_of_a_guest(orders[name], guest=at % 2 == 1))) for at, name in enumerate(names)],
            [(RETURNS, _of_a_guest(backs[name], guest=at % 4 < 2)) for at, name in enumerate(names)],
            [(RETURNS, _again(_of_a_guest(backs[name], guest=at % 4 >= 2))) for at, name in enumerate(names)],
        ):
            sent = [till.send(path, body).event_id for path, body in waves]
            for service in ("points", "metrics"):
                wait_for(lambda service=service, sent=sent: len(rows(platform, _ALL_TAKEN.format(service), sent)) == 12)
    assert len(rows(platform, _REJECTED, court.tenant)) == 24
    for service in ("points", "metrics"):
        code, found = in_a_thread(_compared(platform, service))
        assert (code, found["differing"]) == (0, 0), found


def _of_a_guest(body: dict[str, Any], *, guest: bool) -> dict[str, Any]:
    return {name: value for name, value in body.items() if not guest or name != "customer_id"}


def _again(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "event_id": f"{body['event_id']}-again"}


@contextmanager
def _taken_by_another_copy(platform: Platform, event_id: str) -> Iterator[None]:
    """As if the service had met the second of two copies first, on another partition, which no fold does."""
    wait_for(lambda: rows(platform, _TAKEN, UUID(event_id)))
    (first,) = records(platform, event_id)
    part = (first.part + 1) % PARTITIONS
    *_, off = (write(platform, part, first.key, first.value, list(first.headers)) for _ in range(2))
    wait_for(lambda: rows(platform, _PASSED, part, off))
    rows(platform, _MOVE, UUID(event_id), part, off)
    try:
        yield
    finally:
        rows(platform, _MOVE, UUID(event_id), first.part, first.offset)


def _write_for_a_tenant_that_nobody_knows(platform: Platform, like: str, tenant: str) -> None:
    (record,) = records(platform, like)
    changed = {"ce_id": str(new_id()).encode(), "ce_tenant": tenant.encode()}
    key = tenant.encode() + b":" + (record.key or b"").partition(b":")[2]
    write(
        platform, record.part, key, record.value, [(name, changed.get(name, value)) for name, value in record.headers]
    )


def test_nobody_is_written_to_again(platform: Platform) -> None:
    """Neither by mail nor through Kafka; nor by whoever works with the rebuilt schema some day."""
    court, run = open_court(platform), new_id().hex[:8]
    with closing(court.till()) as till:
        for name in (f"{run}-{number}" for number in range(3)):
            profile = {"email": f"{name}@example.org", "name": "Ada", "locale": "en-GB"}
            assert till.once("PUT", f"/v1/customers/{name}", profile)[0] == 202
            till.send(PURCHASES, purchase(name, name, 1000))
    wait_for(lambda: _mails(platform, run) == 3)
    wait_for(lambda: not any(rows(platform, query, court.tenant) for query in _UNDER_WAY))
    told = _told(platform, court.tenant)
    assert told >= 6, "points told of each purchase, notifications of each mail"
    for service in ("points", "notifications"):
        schema = f"rebuilt_{service}_{run}"
        try:
            assert platform.treue("rebuild", service, "--into", schema, "--compare")["differing"] == 0
            assert rows(platform, f"SELECT 1 FROM {schema}.inbox LIMIT 1")
            assert rows(platform, f"SELECT 1 FROM {schema}.outbox") == []
            if service == "notifications":
                assert rows(platform, _MAILS_WRITTEN.format(schema), court.tenant)[0][0] >= 3
                assert rows(platform, _DUE.format(schema)) == []
                assert in_a_thread(_taken_by_a_sender(platform, schema)) == 0
        finally:
            rows(platform, f"DROP SCHEMA {schema} CASCADE")
    assert (_mails(platform, run), _told(platform, court.tenant)) == (3, told)


def _mails(platform: Platform, run: str) -> int:
    return sum(run in str(mail["to"]) for mail in platform.mails())


def _told(platform: Platform, tenant: str) -> int:
    """How many records of this tenant were published by services."""

    async def count() -> int:
        partitions = [(topic, part) for topic in _OUTGOING for part in range(PARTITIONS)]
        ends = await log_ranges(platform.kafka_bootstrap, partitions)
        async with History(platform.kafka_bootstrap) as history:
            found = [
                raw
                for place, (first, end) in ends.items()
                async for chunk in history.read(*place, first, end)
                for raw in chunk
                if ("ce_tenant", tenant.encode()) in raw.headers
            ]
        return len(found)

    return in_a_thread(count())


async def _taken_by_a_sender(platform: Platform, schema: str) -> int:
    """How many mails a sender of the service finds due in this schema."""
    settings = NotificationsSettings(
        database_url=platform.database_url, kafka_bootstrap=platform.kafka_bootstrap, internal_public_key="unused",
        smtp_host=platform.smtp_host, smtp_port=platform.smtp_port, sender_address="points@treue.example",
    )  # fmt: skip
    engine = create_engine(platform.database_url, name="test", pool_size=2, schema=schema)
    try:
        return await build_senders(settings, engine)[0].send_due(asyncio.Event())
    finally:
        await engine.dispose()
