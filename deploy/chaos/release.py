"""A release that can post nothing of one shop: it stops at its limit of dead letters and says why; after the fix it
goes on by itself, and the letters are retried.

Only that shop is hurt, and nobody sends its orders again with another body: of what was refused, the other would count.
"""

import asyncio
from typing import Final

from deploy import letters
from deploy.chaos.records import bought, write
from deploy.chaos.victim import Victim
from deploy.description import Description
from shared.events.contract import Topic
from shared.ids import new_id
from shared.messaging.dead_letters import OPEN_MAX

_TOPIC: Final = Topic.PURCHASES.value
_WHY: Final = "this release cannot post"
_FUNCTION: Final = f"""
    CREATE FUNCTION points.cannot_post() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '{_WHY}'; END $$
"""
_TRIGGER: Final = """
    CREATE TRIGGER cannot_post BEFORE INSERT ON points.entry FOR EACH ROW WHEN (new.tenant = '{tenant}')
    EXECUTE FUNCTION points.cannot_post()
"""
_MEND: Final = "DROP FUNCTION points.cannot_post CASCADE"
_HALTED: Final = "SELECT part FROM points.consumer_offset WHERE (topic, part) = ($1, $2) AND halted LIKE $3"
_OPEN: Final = "SELECT id FROM points.dead_letter WHERE (topic, part, tenant) = ($1, $2, $3) AND state = 'open'"
_APPLIED: Final = "SELECT event_id FROM points.inbox WHERE (topic, part) = ($1, $2) AND off = any($3)"


def broken(victim: Victim) -> None:
    """More purchases on one partition than there may be dead letters."""
    tenant, part = Description.required(victim.stack.folder).tenant, victim.dice.randrange(6)
    orders = [bought(tenant, f"o-{new_id().hex}") for _ in range(OPEN_MAX + 10)]
    try:
        victim.rows(_FUNCTION)
        victim.rows(_TRIGGER.format(tenant=tenant))
        offsets = asyncio.run(write(victim.stack.addresses.kafka, part, orders))
        victim.until("a release that cannot post halts", lambda: victim.rows(_HALTED, _TOPIC, part, f"%{_WHY}%"))
    finally:
        victim.rows(_MEND)
    victim.until("it goes on after the fix", lambda: not victim.rows(_HALTED, _TOPIC, part, "%"))
    found = [row["id"] for row in victim.rows(_OPEN, _TOPIC, part, tenant)]
    victim.in_database(lambda database: letters.retry(database, "points", found))
    victim.until("all of it is applied", lambda: len(victim.rows(_APPLIED, _TOPIC, part, offsets)) == len(orders))
