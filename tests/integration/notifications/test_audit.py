"""The auditor's checks: silent on what is right, each loud on its own drift."""

import pytest

from services.notifications.adapters.audit import invariants
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World, clawed_back, customer, earned, erased, feedback, long_ago

EMAIL = "(SELECT seq FROM message WHERE channel = 'email' AND status = 'sent' ORDER BY seq LIMIT 1)"
LOOSE = "ALTER TABLE message DROP CONSTRAINT"
FREE = "ALTER TABLE message DISABLE TRIGGER message_status_changes"
PLANTED = {
    "message_once": (
        f"{LOOSE} uq_message_cause",
        "INSERT INTO message (tenant, id, customer_id, cause_id, origin_id, template, channel, purpose, facts, status,"
        " correlation_id, traceparent, created_at, sent_at) SELECT tenant, gen_random_uuid(), customer_id, cause_id,"
        " origin_id, template, channel, purpose, facts, status, '', '', created_at, sent_at FROM message LIMIT 1",
    ),
    "message_causes": ("DELETE FROM message WHERE seq = (SELECT min(seq) FROM message)",),
    "message_withdrawn": (
        "INSERT INTO consent (tenant, customer_id, channel, purpose, granted, effective, since, event_id,"
        " recorded_at) SELECT tenant, customer_id, channel, purpose, false, false, now(), cause_id,"
        " claimed_at - interval '2 minutes' FROM message"
        f" WHERE seq = {EMAIL}",
    ),
    "message_marketing": (f"UPDATE message SET purpose = 'marketing' WHERE seq = {EMAIL}",),
    "message_erased": ("UPDATE message SET text = 'Hello Ada' WHERE customer_id LIKE '#%'",),
    "erased_ids": ("UPDATE profile SET state = 'known' WHERE customer_id = 'gone'",),
    "consents": ("UPDATE consent_word SET granted = true",),
    "message_states": (
        f"{LOOSE} ck_message_sent",
        f"UPDATE message SET sent_at = NULL WHERE seq = {EMAIL}",
    ),
    "message_attempts": ("DELETE FROM attempt WHERE outcome = 'sent'",),
    "suppressions": (FREE, "UPDATE message SET status = 'failed' WHERE status = 'bounced'"),
    "message_leases": (
        FREE,
        "UPDATE message SET status = 'sending', sent_at = NULL, due_at = now() - interval '1 hour'"
        f" WHERE seq = {EMAIL}",
    ),
    "message_due": (
        FREE,
        "UPDATE message SET status = 'queued', sent_at = NULL, due_at = now() + interval '25 hours'"
        f" WHERE seq = {EMAIL}",
    ),
    "message_waits": (
        FREE,
        "UPDATE message SET status = 'waiting', sent_at = NULL, due_at = now() - interval '1 hour'"
        f" WHERE seq = {EMAIL}",
    ),
}


async def live(world: World, box: MailServer) -> None:
    """A little of everything."""
    box.at_recipient = lambda address, _number: "550 5.1.1 no" if address.startswith("bounce") else None
    await world.receive(
        customer(), customer("quiet", ("email", "service", False)), customer("bounce"), customer("gone")
    )
    names = ("ada", "quiet", "bounce", "gone", "nobody")
    await world.receive(*(earned(name) for name in names), earned(occurred_at=long_ago()), clawed_back())
    await world.receive(feedback(), feedback("quiet", "csat", 1))
    await world.send_all()
    await world.receive(erased("gone"))
    await world.sweeper.sweep()


async def drift(world: World, tenant: str | None = None) -> set[str]:
    return {each.name for each in invariants() if await world.rows(each.differing, tenant)}


async def test_a_life_without_drift(world: World, box: MailServer) -> None:
    await live(world, box)
    assert await drift(world) == set()
    assert await drift(world, "shop") == set()
    counted = {each.name: (await world.rows(each.counted, None))[0]["count"] for each in invariants()}
    assert all(counted.values()), counted


def test_every_check_is_tried() -> None:
    assert {each.name for each in invariants()} == PLANTED.keys()


@pytest.mark.parametrize("name", PLANTED)
async def test_planted_drift_is_found(world: World, box: MailServer, name: str) -> None:
    await live(world, box)
    async with world.undone() as connection:
        for statement in PLANTED[name]:
            await connection.execute(statement)
        found = {
            (each.name, tenant)
            for each in invariants()
            for tenant in (None, "shop", "other")
            if await connection.fetch(each.differing, tenant)
        }
    assert {(name, None), (name, "shop")} <= found
    assert not {each for each, tenant in found if tenant == "other"}
