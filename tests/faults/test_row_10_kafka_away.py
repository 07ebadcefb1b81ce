"""Row 10: Kafka is restarted, killed, and stands still. Nobody waits for it without an answer."""

import time

from tests.support.load import load_on
from tests.support.platform import Platform

_FROZEN_S = 8.0
# The answer itself is due in two seconds; a machine that tests share may be slow to write it.
_ANSWER_MAX_S = 6.0


def test_kafka_restarts_dies_and_stands_still(platform: Platform) -> None:
    with load_on(platform) as load:
        platform.restart("kafka")
        load.progressed(10)
        platform.kill("kafka")
        load.progressed(10)
        with platform.frozen("kafka"):
            time.sleep(_FROZEN_S)
        load.progressed(10)
    assert load.memory.refusals["503"] > 0, "nobody noticed"
    assert load.memory.slowest_answer_s < _ANSWER_MAX_S
