"""Row 20: three workers of points, from the command line; they die and leave under load; then one again."""

import random
import time

from tests.support.asking import rows
from tests.support.load import SEED, load_on
from tests.support.platform import Platform
from tests.support.workers import WORKER

_MEMBERS = (WORKER, f"{WORKER}-2", f"{WORKER}-3")
_EVERY_S = 2.0
_OWNERS = "SELECT count(DISTINCT owner) AS owners FROM points.consumer_offset WHERE topic = 'treue.purchases'"


def test_three_workers_that_die_and_leave_under_load(platform: Platform) -> None:
    dice = random.Random(SEED)
    with load_on(platform) as load:
        platform.treue("scale", "points=3")
        load.progressed(10)
        assert rows(platform, _OWNERS)[0]["owners"] > 1
        for turn in range(5):
            member = dice.choice(_MEMBERS)
            if turn % 2:
                platform.kill(member)
            else:
                platform.stack.supervisor.stop([member])
                platform.stack.supervisor.start([member])
            time.sleep(_EVERY_S * dice.random())
        platform.treue("scale", "points=1")
        load.progressed(10)
    assert rows(platform, _OWNERS)[0]["owners"] == 1
