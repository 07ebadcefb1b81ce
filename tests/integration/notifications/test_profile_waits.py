"""A mail to somebody whose profile is not here yet waits for it."""

import asyncio
from datetime import datetime, timedelta

from shared.db.transaction import transaction
from shared.events.points import PointsEarned
from shared.ids import new_id
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import NOW, World, customer, earned

FAR = NOW.replace(year=2126)


def earned_at(instant: datetime, customer_id: str = "ada") -> PointsEarned:
    return earned(customer_id, occurred_at=instant)


async def test_it_goes_out_when_the_profile_comes(world: World, box: MailServer) -> None:
    await world.receive(earned_at(FAR), taken_in_at=FAR)
    waiting = await world.one()
    assert waiting["status"] == "waiting"
    assert waiting["due_at"] == FAR + timedelta(minutes=10)
    assert (await world.one("inapp"))["status"] == "sent"
    assert await world.send_all() == 0
    assert await world.sweeper.sweep() == 0
    await world.receive(customer(locale="en-GB"))
    assert await world.send_all() == 1
    assert [mail["subject"] for mail in box.taken] == ["You have earned 25 points"]


async def test_ten_minutes_after_its_intake_it_is_given_up(world: World, box: MailServer) -> None:
    (database_now,) = await world.rows("SELECT clock_timestamp() AS now")
    begun = database_now["now"] - timedelta(minutes=10)
    late, early = begun - timedelta(seconds=1), begun + timedelta(seconds=60)
    await world.receive(earned_at(late, "late"), taken_in_at=late)
    await world.receive(earned_at(early, "early"), taken_in_at=early)
    assert await world.sweeper.sweep() == 1
    found = {mail["customer_id"]: (mail["status"], mail["reason"]) for mail in await world.messages()}
    assert found == {"late": ("skipped", "no_profile"), "early": ("waiting", None)}
    assert [kind for kind, body in await world.published() if body["channel"] == "email"] == ["notification.skipped"]
    await world.receive(customer("late"), customer("early"))
    await world.send_all()
    assert [mail["to"] for mail in box.taken] == ["early@example.org"]


async def test_a_profile_that_comes_at_the_same_moment_is_not_missed(world: World, box: MailServer) -> None:
    """The event's transaction is open, has seen no profile and not written its message, while the profile comes."""
    store = world.application._stores.customers
    async with transaction(world.engine) as tx:
        await store.lock(tx, [("shop", "ada")])
        arriving = asyncio.ensure_future(world.receive(customer()))
        _, pending = await asyncio.wait({arriving}, timeout=0.3)
        assert pending, "the profile must wait for whoever writes the customer's messages"
        effects = await world.application.apply(tx, [world.incoming(earned_at(FAR), new_id(), 0, FAR)])
        assert effects.outcomes
    await arriving
    await world.send_all()
    assert len(box.taken) == 1


async def test_a_profile_without_an_address_ends_the_wait(world: World) -> None:
    await world.receive(earned_at(FAR), taken_in_at=FAR)
    await world.receive(customer(email=None))
    await world.send_all()
    found = await world.one()
    assert (found["status"], found["reason"]) == ("skipped", "no_address")
