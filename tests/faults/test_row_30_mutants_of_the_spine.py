"""Row 30: each mechanism of the spine is taken away, and the test that is there for it must go red."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from deploy.roles import database_url
from shared.db.transaction import Transaction
from shared.messaging import inbox, offsets, relay
from shared.messaging.consumer import Consumer
from shared.messaging.incoming import Incoming
from shared.messaging.offsets import AlreadyAppliedError, Claim
from tests.integration.shared import (
    test_claiming,
    test_consumer,
    test_generations,
    test_posting,
    test_producer,
    test_relay,
)
from tests.integration.shared.conftest import Spine
from tests.support.stack import Parts

RED = (AssertionError, TimeoutError)


async def test_without_the_epoch_a_zombie_is_not_fenced(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lock(tx: Transaction, claim: Claim, position: int, last: int, fingerprint: bytes) -> None:
        row = await tx.raw.fetchrow(offsets._LOCK, claim.topic, claim.part)
        if row["next_offset"] > last:
            raise AlreadyAppliedError

    monkeypatch.setattr(offsets, "lock", lock)
    with pytest.raises(RED):
        await test_consumer.test_a_fenced_owner_changes_nothing(spine)


async def test_without_the_offset_row_first_an_heir_does_not_wait(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same check, but after the effects."""
    real_lock, real_move = offsets.lock, offsets.move
    later: list[Any] = []

    async def lock(*arguments: Any) -> None:
        later.extend(arguments)

    async def move(*arguments: Any) -> None:
        await real_lock(*later)
        await real_move(*arguments)

    monkeypatch.setattr(offsets, "lock", lock)
    monkeypatch.setattr(offsets, "move", move)
    with pytest.raises(RED):
        await test_posting.test_an_heir_waits_for_the_batch_that_is_under_way(spine)


async def test_without_the_inbox_a_repetition_has_its_effect_again(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sort(_: Transaction, events: Sequence[Incoming]) -> inbox.Sorted:
        return inbox.Sorted(list(events), [], [])

    async def record(*_: Any) -> None:
        return None

    monkeypatch.setattr(inbox, "sort", sort)
    monkeypatch.setattr(inbox, "record", record)
    with pytest.raises(RED):
        await test_consumer.test_each_event_has_its_effect_once(spine)


async def test_without_the_hash_another_body_passes_as_a_repetition(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = inbox.sort

    async def sort(tx: Transaction, events: Sequence[Incoming]) -> inbox.Sorted:
        seen = await real(tx, events)
        return inbox.Sorted(seen.fresh, seen.duplicates + seen.conflicts, [])

    monkeypatch.setattr(inbox, "sort", sort)
    with pytest.raises(RED):
        await test_consumer.test_the_same_id_with_another_body_is_a_conflict(spine)


async def test_without_the_generation_foreign_records_reach_a_lane(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Consumer._feed

    async def feed(self: Consumer, reader: Any, idle: list[Any]) -> None:
        before = self._membership.generation
        found = await reader.getmany(*idle)
        self._membership.generation = before  # as if nobody had looked

        class Again:
            async def getmany(self, *_: Any, **__: Any) -> Any:
                return found

        await real(self, Again(), idle)  # type: ignore[arg-type]

    monkeypatch.setattr(Consumer, "_feed", feed)
    with pytest.raises(RED):
        await test_generations.test_what_was_read_before_a_rebalance_is_dropped(spine)


async def test_without_the_bucket_lease_the_order_of_a_key_is_lost(
    spine: Spine, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What most outboxes do instead: rows are leased one by one, and two relays work on the same key."""
    admin = await asyncpg.connect(database_url(parts.database_url, spine.engine.url.database or ""))
    await admin.execute("GRANT UPDATE ON points.outbox TO treue_points")  # locking a row asks for it
    await admin.close()
    lease = "SELECT bucket FROM outbox GROUP BY bucket ORDER BY random() LIMIT 1"
    rows = """
        SELECT id, records, created_at FROM outbox WHERE bucket = $1 AND $3 > 0
        ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
    """
    monkeypatch.setattr(relay, "_LEASE", lease)
    monkeypatch.setattr(relay, "_ROWS", rows)
    monkeypatch.setattr(relay, "_ROWS_MAX", 4)
    _slow_network(spine, monkeypatch)
    with pytest.raises(AssertionError, match=r"k-\d+: \["):
        await test_relay.test_four_relays_under_killed_sessions_lose_nothing_and_keep_each_keys_order(spine)


async def test_without_acknowledgements_a_frozen_broker_is_not_noticed(
    spine: Spine, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _ask_for_acknowledgements(spine, monkeypatch, 0)
    with pytest.raises((AssertionError, TimeoutError, pytest.fail.Exception)):
        await test_producer.test_a_frozen_broker_gives_an_answer_in_time_and_the_record_arrives_once_applied(
            spine, parts
        )


async def test_without_the_copies_only_the_leader_acknowledges(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    await _ask_for_acknowledgements(spine, monkeypatch, 1)
    with pytest.raises(AssertionError):
        await test_producer.test_all_copies_are_asked_to_acknowledge(spine)


async def _ask_for_acknowledgements(spine: Spine, monkeypatch: pytest.MonkeyPatch, acks: int) -> None:
    from shared.messaging import producer

    real = producer.AIOKafkaProducer

    def careless(**settings: Any) -> Any:
        return real(**{**settings, "enable_idempotence": False, "acks": acks})

    monkeypatch.setattr(producer, "AIOKafkaProducer", careless)
    spine.producer._rebuild()
    assert spine.producer._building is not None
    await spine.producer._building


async def test_without_the_fingerprint_a_recreated_topic_is_taken_for_the_old_one(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.messaging import consumer

    monkeypatch.setattr(consumer, "verify_last", lambda *_: None)
    with pytest.raises(RED):
        await test_claiming.test_a_recreated_topic_halts_even_when_it_is_longer(spine)


async def test_without_the_breaker_a_broken_release_drains_the_topic(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.messaging import dead_letters

    monkeypatch.setattr(dead_letters, "CONSECUTIVE_MAX", 10**6)
    with pytest.raises(RED):
        await test_consumer.test_a_handler_that_fails_for_all_stops_the_consumer(spine)


async def test_without_the_bisection_one_event_takes_its_batch_with_it(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.messaging.lane import Lane

    async def refuse_all(self: Lane, items: Sequence[Any], error: Exception) -> None:
        for event in items:
            await self._bury(event, error)

    monkeypatch.setattr(Lane, "_refuse", refuse_all)
    with pytest.raises(RED):
        await test_consumer.test_an_event_that_breaks_the_handler_is_isolated_and_its_key_parked(spine)


async def test_with_the_bucket_lease_a_slow_network_changes_no_order(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counterpart: under the same delays the mechanism holds."""
    _slow_network(spine, monkeypatch)
    await test_relay.test_four_relays_under_killed_sessions_lose_nothing_and_keep_each_keys_order(spine)


def _slow_network(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every send takes a moment of its own length, so that two relays on one key would overtake each other."""
    dice, real = random.Random(30), spine.producer.send

    async def send(records: Sequence[Any], *, deadline_s: float) -> None:
        await asyncio.sleep(dice.random() / 5)
        await real(records, deadline_s=deadline_s)

    monkeypatch.setattr(spine.producer, "send", send)
