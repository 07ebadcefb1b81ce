"""Who asks to be forgotten is."""

import asyncio
from datetime import timedelta

from services.notifications.adapters.audit import invariants
from shared.erasures import pseudonym_of
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import NOW, World, customer, earned, erased, feedback, stated

LATER = NOW + timedelta(minutes=5)

PERSONAL = "SELECT * FROM message WHERE facts <> '{}' OR coalesce(subject, text, html) IS NOT NULL"


async def test_nothing_personal_stays(world: World, box: MailServer) -> None:
    await world.receive(customer("ada", ("email", "marketing", True)))
    await world.receive(earned())
    await world.send_all()
    await world.receive(earned())
    (gone,) = await world.receive(erased())
    assert await world.rows(PERSONAL) == []
    profiles = await world.rows("SELECT state, email, name, locale, time_zone, kind FROM profile")
    assert len(profiles) == 2  # of the id, and of the pseudonym
    empty = dict.fromkeys(("email", "name", "locale", "time_zone", "kind"))
    assert all(each == {"state": "erased"} | empty for each in profiles)
    assert [mail["status"] for mail in await world.messages()] == ["sent", "skipped"]
    await world.send_all()
    assert len(box.taken) == 1
    assert await world.rows("SELECT customer_id FROM consent WHERE customer_id = 'ada'") == []
    (receipt,) = await world.rows("SELECT effects FROM inbox WHERE event_id = $1", gone)
    assert [effect["kind"] for effect in receipt["effects"]] == ["customer_erased", "erasure_incomplete"]
    # The whole schema, word by word: neither the address nor the name is anywhere in it any more.
    for table in ("message", "profile", "consent", "consent_word", "withdrawal", "suppression", "attempt", "inbox"):
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


async def test_n_29_erased_stays_erased_until_somebody_rejoins(world: World, box: MailServer) -> None:
    await world.receive(customer("ada", ("email", "service", False)))
    await world.receive(earned())
    await world.receive(erased())
    refused = await world.receive(customer(), stated("service", granted=True), customer(occurred_at=LATER))
    await world.receive(earned())
    await world.send_all()
    outcomes = await world.rows("SELECT outcome, reason FROM inbox WHERE event_id = any($1)", refused)
    assert [tuple(each.values()) for each in outcomes] == [("rejected", "customer_erased")] * 3
    assert await world.rows("SELECT state, email FROM profile WHERE customer_id = 'ada'") == [
        {"state": "erased", "email": None}
    ]
    await assert_no_drift(world)

    # Somebody new under the same id and address: no old message, and the old withdrawal holds.
    await world.receive(customer("ada", ("email", "service", True), rejoin=True), taken_in_at=LATER)
    await world.receive(earned(occurred_at=LATER), taken_in_at=LATER)
    await world.send_all()
    found = [(each["status"], each["reason"]) for each in await world.messages() if each["customer_id"] == "ada"]
    assert found == [("skipped", "consent_withdrawn")]
    assert not box.tried
    await world.receive(stated("service", granted=True, at=LATER), taken_in_at=LATER)
    await world.receive(earned(occurred_at=LATER), taken_in_at=LATER)
    await world.send_all()
    assert len(box.taken) == 1
    await assert_no_drift(world)


async def test_n_29_what_was_received_before_the_erasure_is_the_old_lifes_whenever_it_comes(world: World) -> None:
    await world.receive(customer(), taken_in_at=NOW - timedelta(minutes=2))
    await world.receive(erased())
    await world.receive(customer(rejoin=True), taken_in_at=LATER)
    await world.receive(earned(points=1), taken_in_at=NOW - timedelta(minutes=1))
    await world.receive(earned(points=2), taken_in_at=NOW)
    await world.receive(earned(points=3), taken_in_at=LATER)
    told = [(each["customer_id"] == "ada", each["reason"]) for each in await world.messages()]
    assert told == [(False, "erased"), (False, "erased"), (True, None)]
    await assert_no_drift(world)


async def test_n_29_every_life_has_its_pseudonym_and_a_second_erasure_changes_nothing(world: World) -> None:
    await world.receive(erased(), erased())
    await world.receive(customer(rejoin=True), customer(rejoin=True), erased(at=LATER), taken_in_at=LATER)
    found = await world.rows("SELECT number, rejoined_at IS NULL AS gone, pseudonym FROM erasure ORDER BY number")
    assert [(each["number"], each["gone"]) for each in found] == [(1, False), (2, True)]
    assert [each["pseudonym"] for each in found] == [pseudonym_of("shop", "ada", number) for number in (1, 2)]
    await assert_no_drift(world)


async def assert_no_drift(world: World) -> None:
    for invariant in invariants():
        assert await world.rows(invariant.differing, None) == [], invariant.name
