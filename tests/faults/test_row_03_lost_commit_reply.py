"""Row 3: the database commits, and the answer is lost. The worker asks where it stands and goes on."""

import asyncio
from pathlib import Path

from sqlalchemy.engine import make_url

from deploy.chaos.lost_replies import LosingReplies, losing_replies
from deploy.local.service_environment import service_environment
from tests.support.asking import wait_for
from tests.support.load import load_on
from tests.support.platform import Platform
from tests.support.workers import WORKER, own_worker, without


async def test_a_lost_reply_to_commit_is_no_failure_of_the_batch(platform: Platform, tmp_path: Path) -> None:
    url = make_url(service_environment("points", platform.stack.addresses)["POINTS_DATABASE_URL"])
    async with losing_replies(str(url.host), int(url.port or 5432), "treue-points-batches", every=4) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        await asyncio.to_thread(_shop_and_judge, platform, tmp_path / "worker.log", through, proxy)


def _shop_and_judge(platform: Platform, log: Path, through: str, proxy: LosingReplies) -> None:
    with load_on(platform) as load:
        with without(platform, WORKER), own_worker(platform, log, POINTS_DATABASE_URL=through) as worker:
            wait_for(worker.owns_all_purchases)
            proxy.losing = True
            while proxy.lost < 8 or "commit_was_applied" not in log.read_text():
                load.progressed(10)
        load.progressed(5)
    assert "event_dead_lettered" not in log.read_text()
