"""A topic with events of the next release, while this one still reads: known ones are applied, unknown ones wait."""

import msgspec
import pytest

from deploy import letters
from shared.db.transaction import transaction
from shared.events import registry
from shared.events.envelope import Record
from shared.events.purchases import PurchaseCompleted
from shared.messaging.unparker import Unparker
from tests.integration.shared.conftest import Spine
from tests.support.counting import bought
from tests.support.eventually import until


def _with_a_new_field(record: Record) -> Record:
    body = msgspec.json.decode(record.value) | {"brand_new": {"of": ["the next release"]}}
    return Record(record.topic, record.key, msgspec.json.encode(body), record.headers)


def _in_the_next_version(record: Record) -> Record:
    headers = [
        (name, b"2".join(value.rsplit(b"1", 1)) if name == "ce_dataschema" else value) for name, value in record.headers
    ]
    return Record(record.topic, record.key, record.value, headers)


async def test_a_field_that_we_do_not_know_changes_nothing(spine: Spine) -> None:
    await spine.producer.send([_with_a_new_field(bought(1, spine.topic)), bought(2, spine.topic)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(2)
    assert await spine.value("SELECT sum(total) FROM paid") == 200
    assert await spine.value("SELECT count(*) FROM dead_letter") == 0


async def test_a_version_that_we_do_not_know_is_kept_until_the_release_that_does(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spine.producer.send([_in_the_next_version(bought(1, spine.topic)), bought(11, spine.topic)], deadline_s=10)
    async with spine.running(spine.consumer()):
        await spine.reaches(2)
    assert await spine.value("SELECT error FROM dead_letter") == "unknown_version"
    assert await spine.value("SELECT sum(total) FROM paid") == 100
    decoder = registry._DECODERS[PurchaseCompleted.TYPE, 1]
    monkeypatch.setitem(registry._DECODERS, (PurchaseCompleted.TYPE, 2), decoder)
    async with transaction(spine.engine) as tx:
        assert await letters.retry(tx.raw, "points", await letters.open_letters(tx.raw, "points")) == 1
    unparker = Unparker(spine.engine, spine.application)
    await until(unparker.try_all)
    assert await spine.value("SELECT sum(total) FROM paid") == 200
    assert await spine.value("SELECT count(*) FROM dead_letter WHERE state = 'open'") == 0
    assert await spine.value("SELECT count(*) FROM parked_event") == 0
