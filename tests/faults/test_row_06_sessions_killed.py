"""Row 6: every session of the services is ended by the server, again and again, as a failover does to each of them."""

from deploy.chaos.judge import in_a_thread
from deploy.chaos.victim import end_sessions
from tests.support.asking import rows
from tests.support.load import load_on
from tests.support.platform import Platform

_EVERY_S = 0.05
_TIMES = 100
_DEAD = " UNION ALL ".join(
    f"SELECT topic, part, off, error FROM {service}.dead_letter"
    for service in ("gateway", "points", "notifications", "metrics")
)


def test_sessions_that_are_killed_every_50_ms_cost_no_event_and_no_process(platform: Platform) -> None:
    pids = {name: platform.pid(name) for name in platform.stack.service_names()}
    dead = rows(platform, _DEAD)
    with load_on(platform) as load:
        ended = in_a_thread(end_sessions(platform.database_url, [_EVERY_S] * _TIMES))
        load.progressed(10)
    assert ended > _TIMES, "hardly anybody was hurt"
    assert rows(platform, _DEAD) == dead
    assert {name: platform.pid(name) for name in platform.stack.service_names()} == pids
