"""Who asks to be forgotten is."""

import asyncio

from services.notifications.adapters.audit import invariants
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import NOW, World, customer, earned, erased, feedback

PERSONAL = "SELECT * FROM message WHERE facts <> '{}' OR coalesce(subject, text, html) IS NOT NULL"


async def test_nothing_personal_stays(world: World, box: MailServer) -> None:
    await world.receive(customer("ada", ("email", "marketing", True)))
    await world.receive(earned())
    await world.send_all()
    await world.receive(earned())
    (gone,) = await world.receive(erased())
    assert await world.rows(PERSONAL) == []
    (profile,) = await world.rows("SELECT state, email, name, locale, time_zone, kind FROM profile")
    assert profile == {"state": "erased", "email": None, "name": None, "locale": None, "time_zone": None, "kind": None}
    assert [mail["status"] for mail in await world.messages()] == ["sent", "skipped"]
    await world.send_all()
    assert len(box.taken) == 1
    said = await world.rows("SELECT granted, event_id FROM consent ORDER BY seq")
    assert [(each["granted"], each["event_id"] == gone) for each in said] == [(True, False), (None, True)]
    # The whole schema, word by word: neither the address nor the name is anywhere in it any more.
    for table in ("message", "profile", "consent", "suppression", "attempt", "inbox"):
        (found,) = await world.rows(f"SELECT coalesce(string_agg(t::text, ' '), '') AS all FROM {table} t")
        assert "ada@example.org" not in found["all"]
        assert "Hallo Ada" not in found["all"]


async def test_what_comes_afterwards_is_recorded_and_not_sent(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(erased())
    await world.receive(earned())
    await world.receive(feedback(score=1))
    await world.send_all()
    found = [(each["status"], each["reason"]) for each in await world.messages() + await world.messages("inapp")]
    assert found == [("skipped", "erased")] * 4
    assert await world.rows(PERSONAL) == []
    assert not box.tried


async def test_a_mail_in_hand_is_finished_and_leaves_no_words(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(earned())
    box.delay_s = 0.4
    sending = asyncio.ensure_future(world.sender().send_due(asyncio.Event()))
    await asyncio.sleep(0.2)
    await world.receive(erased())
    await sending
    assert (await world.one())["status"] == "sent"
    assert await world.rows(PERSONAL) == []
    await assert_no_drift(world)


async def test_who_waited_for_a_profile_and_is_erased_is_skipped(world: World) -> None:
    later = NOW.replace(year=2126)
    await world.receive(earned(occurred_at=later), taken_in_at=later)
    await world.receive(erased())
    found = await world.one()
    assert (found["status"], found["reason"]) == ("skipped", "erased")


async def test_who_comes_back_is_a_customer_again(world: World, box: MailServer) -> None:
    await world.receive(customer("ada", ("email", "service", False)))
    await world.receive(erased())
    await world.receive(customer())
    await world.receive(earned())
    await world.send_all()
    assert len(box.taken) == 1


async def assert_no_drift(world: World) -> None:
    for invariant in invariants():
        assert await world.rows(invariant.differing, None) == [], invariant.name
