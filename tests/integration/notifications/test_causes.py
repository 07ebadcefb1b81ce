"""Events that give messages, and events that must wait."""

from datetime import timedelta

from shared.messaging.unparker import Unparker
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import NOW, World, clawed_back, customer, earned, feedback, programme, stated


async def test_points_that_go_back(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(clawed_back(debt=3))
    await world.send_all()
    (sent,) = box.taken
    text = sent.get_body(("plain",))
    assert text is not None
    assert sent["subject"] == "10 Punkte zurückgebucht"
    assert "Offen aus Rückgaben: 3 Punkte" in text.get_content()


async def test_feedback_is_thanked_for_and_low_scores_get_an_apology_by_mail_too(world: World, box: MailServer) -> None:
    await world.receive(customer())
    ids = await world.receive(feedback(score=9), feedback(score=6))
    await world.send_all()
    notes = await world.messages("inapp")
    assert [(note["template"], note["origin_id"]) for note in notes] == [
        ("feedback_thanks", ids[0]),
        ("feedback_sorry", ids[1]),
    ]
    assert [mail["subject"] for mail in box.taken] == ["Das tut uns leid"]


async def test_an_event_of_an_unknown_tenant_waits_for_its_programme(bare: World, box: MailServer) -> None:
    await bare.receive(customer())
    await bare.receive(earned())
    assert await bare.messages() == []
    assert await bare.rows("SELECT * FROM inbox") == []
    reasons = await bare.rows("SELECT DISTINCT reason FROM parked_event")
    assert {each["reason"] for each in reasons} <= {"programme_unknown", "behind an event of the same key"}
    await bare.receive(programme())
    unparker = Unparker(bare.engine, bare.application)
    async with bare.undone():
        await bare.rows("SELECT pg_sleep(0.5)")
    await unparker.try_all()
    assert await bare.rows("SELECT * FROM parked_event") == []
    await bare.send_all()
    assert len(box.taken) == 1


async def test_an_older_programme_changes_nothing(world: World, box: MailServer) -> None:
    await world.receive(programme(3, name="New"), programme(2, name="Old"))
    await world.receive(programme(1, name="Oldest"))
    await world.receive(customer())
    await world.receive(earned())
    await world.send_all()
    assert box.taken[0]["from"] == "New <points@treue.example>"


async def test_no_points_are_nothing_to_tell(world: World) -> None:
    await world.receive(earned(points=0))
    assert await world.messages("inapp") == []


async def test_tenants_do_not_meet(world: World, box: MailServer) -> None:
    other = World(world.engine, world.admin_url, world.settings, tenant="other")
    other.claims, other.positions = world.claims, world.positions
    await other.receive(programme(name="Other", locale="en"))
    await world.receive(customer("ada", ("email", "service", False)))
    await other.receive(customer(email="other@example.org", locale=None))
    await world.receive(earned())
    await other.receive(earned())
    await world.send_all()
    assert [(mail["to"], mail["from"], mail["subject"]) for mail in box.taken] == [
        ("other@example.org", "Other <points@treue.example>", "You have earned 25 points")
    ]


async def test_several_low_scores_on_one_local_day_are_answered_once(world: World, box: MailServer) -> None:
    await world.receive(customer())
    # 23:30 and 00:30 in Berlin: two local days, one day of UTC.
    evening = NOW.replace(hour=22, minute=30)
    await world.receive(*(feedback(score=1, occurred_at=evening) for _ in range(3)), taken_in_at=evening)
    await world.receive(*(feedback(score=1, occurred_at=evening) for _ in range(3)), taken_in_at=evening)
    next_day = evening.replace(hour=23, minute=30)
    await world.receive(feedback(score=1, occurred_at=next_day), feedback(score=9, occurred_at=next_day))
    await world.send_all()
    assert len(box.taken) == 2
    found = [(mail["status"], mail["reason"]) for mail in await world.messages()]
    assert found == [("sent", None), *[("skipped", "already_today")] * 5, ("sent", None)]
    notes = [(note["template"], note["status"]) for note in await world.messages("inapp")]
    assert notes.count(("feedback_sorry", "sent")) == 2
    assert notes.count(("feedback_thanks", "sent")) == 1


async def test_a_score_that_was_not_answered_leaves_the_answer_to_the_next(world: World) -> None:
    await world.receive(customer("ada", ("email", "service", False)))
    await world.receive(feedback(score=1))
    await world.receive(stated("service", granted=True, at=NOW + timedelta(seconds=1)))
    await world.receive(feedback(score=1), feedback(score=1))
    found = [mail["reason"] for mail in await world.messages()]
    assert found == ["consent_withdrawn", None, "already_today"]
