"""Nobody is written to against their word, and their word is kept."""

import asyncio

from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World, customer, earned, long_ago

NO = ("email", "service", False)
YES = ("email", "service", True)


async def test_who_withdrew_gets_no_mail_and_the_reason_is_kept(world: World, box: MailServer) -> None:
    await world.receive(customer("ada", NO))
    await world.receive(earned())
    await world.send_all()
    found = await world.one()
    assert (found["status"], found["reason"]) == ("skipped", "consent_withdrawn")
    assert (await world.one("inapp"))["status"] == "sent"
    assert not box.tried
    assert [(kind, body.get("reason")) for kind, body in await world.published()] == [
        ("notification.sent", None),
        ("notification.skipped", "consent_withdrawn"),
    ]


async def test_who_withdraws_while_the_mail_is_queued_gets_none(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(earned())
    assert (await world.one())["status"] == "queued"
    await world.receive(customer("ada", NO))
    await world.send_all()
    found = await world.one()
    assert (found["status"], found["reason"]) == ("skipped", "consent_withdrawn")
    assert not box.tried


async def test_who_withdraws_between_two_attempts_gets_none(world: World, box: MailServer) -> None:
    box.at_recipient = lambda _address, number: "451 4.3.2 later" if number == 1 else None
    await world.receive(customer())
    await world.receive(earned())
    await world.sender(retry_delays_s=(0.001,)).send_due(asyncio.Event())
    await world.receive(customer("ada", NO))
    await asyncio.sleep(0.01)
    await world.send_all()
    assert (await world.one())["reason"] == "consent_withdrawn"
    assert not box.taken


async def test_a_list_replaces_and_none_keeps(world: World, box: MailServer) -> None:
    await world.receive(customer("ada", NO))
    await world.receive(customer("ada"))  # says nothing of consents
    await world.receive(earned())
    assert (await world.one())["reason"] == "consent_withdrawn"
    await world.receive(customer("ada", ("email", "marketing", True)))  # says nothing of service any more
    await world.receive(earned())
    await world.send_all()
    assert len(box.taken) == 1


async def test_all_that_was_ever_said_is_kept(world: World) -> None:
    ids = await world.receive(customer("ada", YES), customer("ada", NO), customer("ada", NO), customer("ada", YES))
    said = await world.rows("SELECT granted, event_id FROM consent ORDER BY seq")
    assert [(each["granted"], each["event_id"]) for each in said] == [(True, ids[0]), (False, ids[1]), (True, ids[3])]


async def test_importing_history_mails_nobody(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(earned(occurred_at=long_ago()), earned("unknown", occurred_at=long_ago()))
    await world.send_all()
    assert {(mail["status"], mail["reason"]) for mail in await world.messages()} == {("skipped", "history")}
    assert [note["status"] for note in await world.messages("inapp")] == ["sent", "sent"]
    assert not box.tried
