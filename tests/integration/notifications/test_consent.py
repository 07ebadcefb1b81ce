"""Nobody is written to against their word, and their word is kept."""

import asyncio
from datetime import timedelta

import pytest

from services.notifications.adapters.audit import invariants
from services.notifications.bootstrap import build_stores
from shared.db.transaction import transaction
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import NOW, World, customer, earned, long_ago, stated

MARKETING = ("email", "marketing")
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


@pytest.mark.parametrize("newer_first", [True, False])
async def test_n_21_what_was_said_later_counts_not_what_arrived_later(world: World, newer_first: bool) -> None:
    newer = customer("ada", (*MARKETING, False), email="new@example.org", occurred_at=long_ago(2))
    older = customer("ada", (*MARKETING, True), email="old@example.org", occurred_at=long_ago(3))
    for event in (newer, older) if newer_first else (older, newer):
        await world.receive(event)
    assert await world.rows("SELECT email, occurred_at FROM profile") == [
        {"email": "new@example.org", "occurred_at": long_ago(2)}
    ]
    assert await holds(world) == {MARKETING: False}
    said = await world.rows("SELECT granted, effective FROM consent ORDER BY seq")
    assert {"granted": True, "effective": not newer_first} in said  # the evidence has it
    await assert_no_drift(world)


async def test_n_21_of_two_words_at_one_instant_the_withdrawal_counts(world: World) -> None:
    await world.receive(customer("ada", (*MARKETING, False)))
    await world.receive(customer("ada", (*MARKETING, True)))
    await world.receive(stated("service", granted=False))
    await world.receive(stated("service", granted=True))
    assert await holds(world) == {MARKETING: False, ("email", "service"): False}


async def test_n_22_the_shops_list_against_the_persons_own_word(world: World, box: MailServer) -> None:
    await world.receive(stated("marketing", granted=False, at=long_ago(3)))
    for day in (2, 1):
        await world.receive(customer("ada", (*MARKETING, True), occurred_at=long_ago(day)))
    assert await holds(world) == {MARKETING: False}
    claims = "SELECT said_by, granted, effective FROM consent WHERE said_by = 'shop'"
    assert await world.rows(claims) == [{"said_by": "shop", "granted": True, "effective": False}]
    await world.receive(customer("ada", NO))
    await world.receive(customer("ada", (*MARKETING, True)))
    await world.receive(customer("ada", consents=()))
    await world.receive(earned())
    await world.send_all()
    assert (await world.one())["reason"] == "consent_withdrawn"
    assert not box.tried
    await world.receive(stated("marketing", granted=True, at=NOW + timedelta(seconds=1)))
    assert await holds(world) == {MARKETING: True, ("email", "service"): False}
    await assert_no_drift(world)


async def test_a_consent_of_somebody_without_a_profile_holds_once_it_comes(world: World, box: MailServer) -> None:
    (event,) = await world.receive(stated("service", granted=False))
    await world.receive(earned())
    await world.receive(customer())
    await world.send_all()
    assert (await world.one())["reason"] == "consent_withdrawn"
    assert not box.tried
    (row,) = await world.rows("SELECT outcome, effects FROM inbox WHERE event_id = $1", event)
    assert (row["outcome"], row["effects"][0]["kind"]) == ("applied", "consent_changed")


async def test_all_that_was_ever_said_is_kept(world: World) -> None:
    ids = await world.receive(
        *(
            customer("ada", said, occurred_at=NOW + timedelta(seconds=second))
            for second, said in enumerate((YES, NO, NO, YES))
        )
    )
    said = await world.rows("SELECT granted, event_id FROM consent ORDER BY seq")
    assert [(each["granted"], each["event_id"]) for each in said] == [(True, ids[0]), (False, ids[1]), (True, ids[3])]


async def test_importing_history_mails_nobody(world: World, box: MailServer) -> None:
    await world.receive(customer())
    await world.receive(earned(occurred_at=long_ago()), earned("unknown", occurred_at=long_ago()))
    await world.send_all()
    assert {(mail["status"], mail["reason"]) for mail in await world.messages()} == {("skipped", "history")}
    assert [note["status"] for note in await world.messages("inapp")] == ["sent", "sent"]
    assert not box.tried


async def holds(world: World) -> dict[tuple[str, str], bool]:
    """What the gate goes by."""
    async with transaction(world.engine) as tx:
        found = await build_stores().customers.load(tx, [(world.tenant, "ada")])
    return dict(found[world.tenant, "ada"].consents)


async def assert_no_drift(world: World) -> None:
    for invariant in invariants():
        assert await world.rows(invariant.differing, None) == [], invariant.name
