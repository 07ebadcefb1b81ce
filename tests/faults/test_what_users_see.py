"""What users see while a part is away: clear answers in time, and the same request again is safe afterwards.

Each gateway answer is timed and judged in tests/integration/gateway/test_outages.py too, with stand-ins behind it; here
the whole platform runs.

Who is ready then: without Kafka gateway and apis, for whoever is taken out of service cannot answer questions either;
no worker; without Postgres only the gateway, which takes events; without a worker all others."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import pytest

from deploy.chaos.load import PURCHASES, Memory, Till, purchase
from deploy.local.readiness import addresses_by_process
from tests.support.asking import wait_for
from tests.support.load import open_court
from tests.support.platform import Platform
from tests.support.workers import WORKER, without

_IN_TIME_S = 2.0
_AWAY_S = 6.0
_DOORS = ("gateway", "points-api", "metrics-api")
_WORKERS = (WORKER, "metrics-worker")
_SERVICES = (*_DOORS, *_WORKERS)
_AOV = "/v1/metrics/average-order-value?from=2020-01-01&to=2032-01-01"


class User:
    """A shop with one customer, who has bought for 10.00."""

    def __init__(self, platform: Platform, till: Till, memory: Memory) -> None:
        self.platform, self.till, self.memory = platform, till, memory
        self.number = 0

    def body(self, total_minor: int) -> dict[str, Any]:
        self.number += 1
        return purchase("ada", f"u-{self.number}", total_minor)

    def buy(self, body: dict[str, Any], total_minor: int) -> None:
        self.repeat(body)
        self.memory.keep("ada", total_minor, 0)

    def repeat(self, body: dict[str, Any]) -> None:
        """The same request again, which is acknowledged and must change nothing."""
        self.memory.acknowledge(PURCHASES, self.till.send(PURCHASES, body))

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """An answer, which must come in time, and say when to come back where it is a refusal."""
        begun = time.monotonic()
        status, answer, headers = self.till.exchange(method, path, body)
        assert time.monotonic() - begun < _IN_TIME_S, (path, answer)
        assert status != 503 or int(headers["retry-after"]) >= 1, (path, headers)
        return status, answer

    def balance(self) -> tuple[int, int | None]:
        status, answer = self.ask("GET", "/v1/customers/ada/balance")
        return status, answer["available"] if status == 200 else None

    def version(self) -> tuple[int, int]:
        """What the balance is, and how many entries of the ledger it knows."""
        status, answer = self.ask("GET", "/v1/customers/ada/balance")
        assert status == 200
        return answer["version"], answer["available"]

    def complete_through(self) -> str:
        status, answer = self.ask("GET", _AOV)
        assert status == 200
        return str(answer["complete_through"])

    def health(self, path: str, names: Sequence[str] = _SERVICES) -> dict[str, int]:
        urls = addresses_by_process(self.platform.stack.addresses)
        found = {}
        for name in names:
            with closing(Till(urls[name], "", self.till._dice)) as probe:
                found[name] = probe.once("GET", path)[0]
        return found


@pytest.fixture
def user(platform: Platform) -> Iterator[User]:
    """At the end everything must be as the user remembers it, and no process was started anew by anybody."""
    pids = {name: platform.pid(name) for name in _SERVICES}
    court = open_court(platform)
    with closing(court.till()) as till:
        user = User(platform, till, Memory())
        user.buy(user.body(1000), 1000)
        wait_for(lambda: user.balance() == (200, 10))
        yield user
        platform.wait_until_ready()
        court.judge(user.memory)
    assert {name: platform.pid(name) for name in _SERVICES} == pids, "a restart loop"


@pytest.mark.parametrize("how", [Platform.frozen, without], ids=["frozen", "gone"])
def test_with_kafka_away_reads_go_on_and_events_are_refused_in_time(
    platform: Platform, user: User, how: Callable[[Platform, str], AbstractContextManager[None]]
) -> None:
    body = user.body(2000)
    with how(platform, "kafka"):
        until = time.monotonic() + _AWAY_S
        while time.monotonic() < until:
            status, answer = user.ask("POST", PURCHASES, body)
            assert (status, answer["code"], answer["outcome"]) == (503, "event_log_unavailable", "unknown")
            assert user.balance() == (200, 10)
            assert user.complete_through()
            assert user.health("/livez") == dict.fromkeys(_SERVICES, 200)
            assert user.health("/readyz", _DOORS) == dict.fromkeys(_DOORS, 200)
        # Who only listens has nothing to do any more, and says so after ten seconds.
        wait_for(lambda: user.health("/readyz", _WORKERS) == dict.fromkeys(_WORKERS, 503))
        assert all("Kafka has not answered" in platform.health(name)["not_ready"]["consumer"] for name in _WORKERS)
        assert user.health("/readyz", _DOORS) == dict.fromkeys(_DOORS, 200)
        assert user.health("/livez") == dict.fromkeys(_SERVICES, 200)
    user.buy(body, 2000)
    wait_for(lambda: user.balance() == (200, 30))


def test_with_postgres_away_events_come_in_and_reads_are_refused_in_time(platform: Platform, user: User) -> None:
    body = user.body(2000)
    with without(platform, "postgres"):
        user.buy(body, 2000)  # the gateway knows the key
        assert user.balance()[0] == 503
        assert user.ask("GET", _AOV)[0] == 503
        assert user.health("/livez") == dict.fromkeys(_SERVICES, 200)
        # The gateway takes events: whoever sends nothing to what is not ready must go on sending to it.
        wait_for(lambda: user.health("/readyz") == dict.fromkeys(_SERVICES, 503) | {"gateway": 200})
        assert all("database" in platform.health(name)["not_ready"] for name in _SERVICES if name != "gateway")
        assert "database" in platform.health("gateway")["away"]
        user.repeat(body)
    user.repeat(body)
    wait_for(lambda: user.balance() == (200, 30))


@pytest.mark.parametrize(
    ("worker", "figure"), [(WORKER, User.version), ("metrics-worker", User.complete_through)], ids=["points", "metrics"]
)
def test_with_a_worker_away_answers_are_older_and_say_so(
    platform: Platform, user: User, worker: str, figure: Callable[[User], Any]
) -> None:
    body = user.body(2000)
    with _stopped(platform, worker):
        before = figure(user)
        user.buy(body, 2000)
        time.sleep(2.5)  # a running worker would have moved it by now, twice
        assert figure(user) == before
        others = [name for name in _SERVICES if name != worker]
        assert user.health("/livez", others) == user.health("/readyz", others) == dict.fromkeys(others, 200)
    wait_for(lambda: figure(user) > before)
    user.repeat(body)


@contextmanager
def _stopped(platform: Platform, name: str) -> Iterator[None]:
    """Stopped without ending, so that its process is the same afterwards."""
    platform.freeze(name)
    try:
        yield
    finally:
        platform.thaw(name)
