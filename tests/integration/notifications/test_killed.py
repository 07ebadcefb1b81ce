"""kill -9 between the steps of sending."""

import asyncio
import json
import os
import signal
import sys

import pytest

from deploy.local.folder import PROJECT
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World, customer, earned

LEASE_S = 1.0


async def send_in_a_process(world: World, failpoint: str) -> int:
    fields = world.settings.model_dump(exclude={"migration_url"}) | {
        "database_url": world.settings.database_url.get_secret_value(),
        "lease_s": LEASE_S,
        "smtp_timeout_s": LEASE_S / 2,
    }
    return await (
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.notifications.sender_process", json.dumps(fields),
            env=os.environ | {"TREUE_FAILPOINT": failpoint}, cwd=PROJECT,
        )
    ).wait()  # fmt: skip


@pytest.mark.parametrize(
    ("failpoint", "at_death", "in_the_end"),
    [
        ("mail_after_claim", 0, 4),  # taken, nothing sent
        ("mail_after_send:2", 2, 5),  # the second one's "250" was heard and not noted: it goes out again
    ],
)
async def test_every_mail_goes_out(
    world: World, box: MailServer, failpoint: str, at_death: int, in_the_end: int
) -> None:
    names = [f"c{number}" for number in range(4)]
    await world.receive(*(customer(name) for name in names))
    await world.receive(*(earned(name) for name in names))
    assert await send_in_a_process(world, failpoint) == -signal.SIGKILL
    assert len(box.taken) == at_death
    assert await world.send_all() == 0, "until the lease ends nobody else may take them"
    await asyncio.sleep(LEASE_S)
    await world.send_all()
    assert {mail["status"] for mail in await world.messages()} == {"sent"}
    # What went out twice is the same mail to whoever receives it: it has the same Message-ID.
    assert len(box.taken) == in_the_end
    assert len(set(box.ids())) == 4
    assert len(await world.rows("SELECT * FROM attempt")) == 4
