"""What the mail server answers, and what becomes of the mail."""

import asyncio
import contextlib

import pytest

from services.notifications.application import causes
from services.notifications.application.ports import MailServerAwayError
from services.notifications.domain.message import Channel
from services.notifications.domain.templates import Template
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World, clawed_back, customer, earned


async def until_settled(world: World) -> None:
    """Send, and come back for what was put off, for a few seconds."""
    sender = world.sender()
    async with asyncio.timeout(10):
        while any(mail["status"] in ("queued", "sending") for mail in await world.messages()):
            with contextlib.suppress(MailServerAwayError):
                await sender.send_due(asyncio.Event())
            await asyncio.sleep(0.02)


async def test_not_now_is_tried_again_and_says_the_same(world: World, box: MailServer) -> None:
    box.at_data = lambda _address, number: "451 4.3.0 later" if number < 3 else None
    await world.receive(customer())
    await world.receive(earned())
    await world.sender().send_due(asyncio.Event())
    first = await world.one()
    assert (first["status"], first["reason"], first["attempts"]) == ("queued", "smtp_451", 1)
    await world.receive(customer(name="Another Name", locale="en"))
    await until_settled(world)
    found = await world.one()
    assert (found["status"], found["attempts"], found["reason"]) == ("sent", 3, None)
    assert (found["text"], found["message_id_header"]) == (first["text"], first["message_id_header"])
    assert box.ids() == [first["message_id_header"]]
    outcomes = await world.rows("SELECT outcome, code FROM attempt ORDER BY claim")
    assert [(each["outcome"], each["code"]) for each in outcomes] == [("queued", 451), ("queued", 451), ("sent", 250)]


async def test_not_now_for_ever_is_a_failure(world: World, box: MailServer) -> None:
    box.at_recipient = lambda _address, _number: "451 4.3.2 later"
    await world.receive(customer())
    await world.receive(earned())
    await until_settled(world)
    found = await world.one()
    assert (found["status"], found["reason"], found["attempts"]) == ("failed", "smtp_451", 3)


async def test_a_dead_address_bounces_and_is_never_tried_again(world: World, box: MailServer) -> None:
    box.at_recipient = lambda _address, _number: "550 5.1.1 no such mailbox"
    await world.receive(customer())
    await world.receive(earned(), earned())
    await world.sender(mail_batch=1).send_due(asyncio.Event())
    await world.send_all()
    await world.receive(earned())
    found = [(mail["status"], mail["reason"]) for mail in await world.messages()]
    assert sorted(found) == [("bounced", "smtp_550"), ("skipped", "suppressed"), ("skipped", "suppressed")]
    assert len(box.tried) == 1
    told = [(kind, body["reason"]) for kind, body in await world.published() if body["channel"] == "email"]
    assert told == [("notification.bounced", "smtp_550")] + 2 * [("notification.skipped", "suppressed")]
    box.at_recipient = lambda _address, _number: None
    await world.receive(customer(email="new@example.org"))
    await world.receive(earned())
    await world.send_all()
    assert [mail["to"] for mail in box.taken] == ["new@example.org"]


async def test_a_misconfigured_relay_does_not_put_everybody_on_the_list(world: World, box: MailServer) -> None:
    box.at_recipient = lambda _address, _number: "550 5.7.1 relaying denied"
    await world.receive(customer())
    await world.receive(earned())
    await world.send_all()
    assert (await world.one())["status"] == "bounced"
    assert await world.rows("SELECT * FROM suppression") == []


async def test_refused_content_fails_without_blaming_the_address(world: World, box: MailServer) -> None:
    box.at_data = lambda _address, _number: "554 5.7.1 looks like spam"
    await world.receive(customer())
    await world.receive(earned())
    await world.send_all()
    assert (await world.one())["status"] == "failed"
    assert await world.rows("SELECT * FROM suppression") == []


async def test_while_the_server_is_away_nothing_is_taken_or_counted(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(earned())
    with pytest.raises(MailServerAwayError):
        await world.sender(smtp_port=1).send_due(asyncio.Event())
    found = await world.one()
    assert (found["status"], found["claims"], found["attempts"]) == ("queued", 0, 0)
    await world.send_all()
    assert len(box.taken) == 1


async def test_a_connection_that_breaks_does_not_count_and_the_others_go_on(world: World, box: MailServer) -> None:
    box.drop = lambda tried: tried == 2
    await world.receive(*(customer(f"c{number}") for number in range(5)))
    await world.receive(*(earned(f"c{number}") for number in range(5)))
    await until_settled(world)
    assert len(set(box.ids())) == len(box.taken) == 5
    assert {(mail["status"], mail["attempts"]) for mail in await world.messages()} == {("sent", 1)}
    assert sorted(mail["claims"] for mail in await world.messages())[-1] == 2


async def test_a_server_that_falls_silent_is_left(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(earned())
    box.delay_s = 2.0
    with pytest.raises(MailServerAwayError):
        await world.sender(smtp_timeout_s=0.2).send_due(asyncio.Event())
    found = await world.one()
    assert (found["status"], found["reason"], found["attempts"]) == ("queued", "connection", 0)


async def test_an_address_that_is_none_stops_nobody(world: World, box: MailServer) -> None:
    await world.receive(customer("bad", email="a@b.c\r\nRCPT TO:<x@y.z>"), customer("good"))
    await world.receive(earned("bad"), earned("good"))
    await world.send_all()
    assert {mail["customer_id"]: mail["status"] for mail in await world.messages()} == {
        "bad": "bounced",
        "good": "sent",
    }
    assert box.tried == ["good@example.org"]


async def test_a_template_that_fails_stops_nobody(
    world: World, box: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "POINTS_RETURNED", Template("not_there", (Channel.EMAIL,)))
    await world.receive(customer())
    await world.receive(clawed_back(), earned())
    await world.send_all()
    assert [(mail["status"], mail["reason"]) for mail in await world.messages()] == [
        ("failed", "not_renderable"),
        ("sent", None),
    ]
    assert len(box.taken) == 1


async def test_told_to_stop_it_finishes_the_mail_in_hand_and_gives_the_others_back(
    world: World, box: MailServer
) -> None:
    await world.receive(*(customer(f"c{number}") for number in range(5)))
    await world.receive(*(earned(f"c{number}") for number in range(5)))
    box.delay_s = 0.3
    stop = asyncio.Event()
    running = asyncio.ensure_future(world.sender().run(stop))
    await asyncio.sleep(0.45)
    stop.set()
    await asyncio.wait_for(running, timeout=3)
    found = sorted(mail["status"] for mail in await world.messages())
    assert "sending" not in found
    assert found.count("sent") == len(box.taken) in (1, 2)
    box.delay_s = 0.0
    await world.send_all()
    assert len(set(box.ids())) == len(box.taken) == 5


async def test_the_rate_is_kept(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(*(earned() for _ in range(10)))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await world.send_all(world.sender(mails_per_second=20))
    assert loop.time() - begun >= 9 / 20
    assert len(box.taken) == 10


async def test_letters_before_the_at_go_out_where_the_server_has_smtputf8(world: World, box: MailServer) -> None:
    await world.receive(customer("ada", email="jürgen@bücher.example"))
    await world.receive(earned())
    await world.send_all()
    assert (await world.one())["status"] == "sent"
    assert box.tried == ["jürgen@xn--bcher-kva.example"]
    assert str(box.taken[0]["to"]) == "jürgen@xn--bcher-kva.example"


async def test_letters_that_the_server_cannot_take_are_no_refusal_of_the_address(world: World, box: MailServer) -> None:
    box.smtputf8 = False
    await world.receive(customer("ada", email="jürgen@example.org"))
    await world.receive(earned())
    await world.send_all()
    assert (await world.one())["status"] == "failed"
    assert await world.rows("SELECT * FROM suppression") == []
    assert not box.tried


async def test_a_domain_in_other_letters_needs_no_smtputf8(world: World, box: MailServer) -> None:
    box.smtputf8 = False
    await world.receive(customer("ada", email="ada@bücher.example"))
    await world.receive(earned())
    await world.send_all()
    assert box.tried == ["ada@xn--bcher-kva.example"]
    assert (await world.one())["status"] == "sent"
