"""Row 1: the gateway is killed while it acknowledges."""

import random

from tests.support.load import SEED, load_on
from tests.support.platform import Platform


def test_a_killed_gateway_loses_nothing_that_it_acknowledged(platform: Platform) -> None:
    dice = random.Random(SEED)
    with load_on(platform, shoppers=4, pause_s=0.0) as load:
        for _ in range(3):
            load.progressed(dice.randrange(5, 30))
            platform.kill("gateway")
        load.progressed(20)
