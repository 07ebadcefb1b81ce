"""One message per cause, whatever comes again."""

import asyncio

import asyncpg
import pytest

from services.notifications.bootstrap import build_senders
from shared.ids import new_id
from shared.messaging import inbox
from shared.messaging.inbox import Sorted
from shared.messaging.incoming import Incoming
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World, customer, earned


async def test_the_same_event_at_another_offset_gives_nothing_new(world: World, box: MailServer) -> None:
    await world.receive(customer())
    event = earned()
    (cause,) = await world.receive(event)
    await world.send_all()
    await world.receive(event, ids=[cause])
    await world.receive(event, event, ids=[cause, cause])
    await world.send_all()
    assert len(box.taken) == 1
    assert len(await world.messages("email")) == len(await world.messages("inapp")) == 1


async def test_without_the_inbox_the_cause_is_still_unique(
    world: World, box: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def all_fresh(_tx: object, events: list[Incoming]) -> Sorted:
        return Sorted(list(events), [], [])

    async def forget(*_: object) -> None: ...

    monkeypatch.setattr(inbox, "sort", all_fresh)
    monkeypatch.setattr(inbox, "record", forget)
    await world.receive(customer())
    event, cause = earned(), new_id()
    await world.receive(event, ids=[cause])
    await world.send_all()
    with pytest.raises(asyncpg.UniqueViolationError):
        await world.receive(event, ids=[cause])
    await world.send_all()
    assert len(box.taken) == 1


async def test_senders_side_by_side_send_each_mail_once(world: World, box: MailServer) -> None:
    await world.receive(*(customer(f"c{number}") for number in range(60)))
    await world.receive(*(earned(f"c{number}") for number in range(60)))
    box.delay_s = 0.002
    settings = world.settings.model_copy(update={"senders": 4, "mail_batch": 3})
    senders = build_senders(settings, world.engine)
    await asyncio.gather(*(world.send_all(sender) for sender in senders))
    assert len(box.taken) == len(set(box.ids())) == 60
    assert {mail["status"] for mail in await world.messages()} == {"sent"}


async def test_who_held_a_mail_beyond_the_lease_cannot_note_anything(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(earned())
    box.delay_s = 0.6
    slow = asyncio.ensure_future(world.sender(lease_s=0.2).send_due(asyncio.Event()))
    await asyncio.sleep(0.35)
    box.delay_s = 0.0
    box.at_data = lambda _address, _number: "554 5.7.1 no"
    await world.send_all()
    await slow
    found = await world.one()
    # The second sender's outcome stands; the first one's mail is out all the same, under the same Message-ID.
    assert (found["status"], found["reason"], found["claims"]) == ("failed", "smtp_554", 2)
    assert len(await world.rows("SELECT * FROM attempt")) == 1
