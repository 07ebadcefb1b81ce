"""Rows 13, 14 and 15: the same event again, on any partition; its id with another body; a return before its purchase.

Row 13's replay of a whole topic is in test_row_25; what a handler does in every order is in
tests/unit/points/test_laws.py and tests/integration/metrics/test_disorder.py."""

from typing import Any

from deploy.chaos.judge import Court
from deploy.chaos.load import PURCHASES, RETURNS, Memory, purchase, returned
from deploy.chaos.quarrels import Quarrels
from shared.ids import new_id
from tests.support.asking import wait_for
from tests.support.load import open_court
from tests.support.platform import Platform
from tests.support.topic_tap import PARTITIONS, records, write
from tests.support.workers import WORKER


class Customer:
    """A customer of one shop, and what the shop remembers."""

    def __init__(self, platform: Platform) -> None:
        self.court: Court = open_court(platform)
        self.till = self.court.till()
        self.name, self.memory = f"c-{new_id().hex}", Memory()

    def __enter__(self) -> "Customer":
        return self

    def __exit__(self, *_: object) -> None:
        self.till.close()

    def judged(self) -> None:
        self.court.judge(self.memory)

    def post(self, path: str, body: dict[str, Any]) -> str:
        answer = self.till.send(path, body)
        self.memory.acknowledge(path, answer)
        return answer.event_id

    def buy(self, order: str, total_minor: int) -> str:
        event_id = self.post(PURCHASES, purchase(self.name, order, total_minor))
        self.memory.keep(self.name, total_minor, 0)
        return event_id

    def status(self, event_id: str) -> dict[str, Any]:
        status, answer = self.till.once("GET", f"/v1/events/{event_id}?wait_ms=5000")
        return dict(answer) if status == 200 else {"status": str(status)}

    def applied(self, event_id: str) -> dict[str, Any]:
        return dict(wait_for(lambda: found if (found := self.status(event_id))["status"] == "applied" else None))


def test_the_same_event_on_every_partition_has_one_effect(platform: Platform) -> None:
    with Customer(platform) as ada:
        event_id = ada.buy("once", 4990)
        (record,) = records(platform, event_id)
        for part in range(PARTITIONS):
            write(platform, part, record.key, record.value, list(record.headers))
            write(platform, part, record.key, record.value, list(record.headers))
        assert ada.post(PURCHASES, purchase(ada.name, "once", 4990)) != "", "a retry is acknowledged like the first"
        ada.buy("afterwards", 1000)
        ada.judged()


def test_an_id_with_another_body_is_shown_and_has_no_effect(platform: Platform) -> None:
    with Customer(platform) as ada:
        event_id = ada.buy("mine", 4990)
        ada.applied(event_id)
        other_body = purchase(ada.name, "mine", 4991)
        status, refused = ada.till.once("POST", PURCHASES, other_body)
        assert (status, refused["code"], refused["event_id"]) == (409, "event_id_conflict", event_id)
        platform.kill("gateway")  # which forgets the first body, so that the second one reaches the services
        assert ada.till.send(PURCHASES, other_body).event_id == event_id
        wait_for(lambda: len(ada.status(event_id)["conflicts"]) == 1)
        ada.judged()


def test_the_same_id_in_another_tenant_is_another_event(platform: Platform) -> None:
    with Customer(platform) as ada, Customer(platform) as bob:
        assert ada.buy("shared-name", 4990) != bob.buy("shared-name", 990)
        ada.judged()
        bob.judged()


def test_a_return_waits_for_its_purchase_and_too_much_is_refused(platform: Platform) -> None:
    with Customer(platform) as ada:
        bought = purchase(ada.name, "late", 8000)
        early = ada.post(RETURNS, returned(bought, "early", 3000))
        ada.post(PURCHASES, bought)
        ada.memory.keep(ada.name, 8000, 3000)
        ada.applied(early)
        too_much = ada.till.send(RETURNS, returned(bought, "too-much", 5001)).event_id
        refused = wait_for(lambda: found if (found := ada.status(too_much))["status"] == "rejected" else None)
        assert refused["reason"] == "return_exceeds_purchase"
        ada.judged()


def test_a_shop_that_contradicts_itself_is_no_drift(platform: Platform) -> None:
    """Of two events that cannot both be, in two partitions, each service takes exactly one. While the worker of points
    stands still metrics decide as they come; points decide later, by partitions, and not always alike."""
    court = open_court(platform)
    quarrels = Quarrels(court, pause_s=0.05)
    try:
        platform.freeze(WORKER)
        try:
            wait_for(lambda: len(quarrels.over) >= 40)
        finally:
            platform.thaw(WORKER)
    finally:
        quarrels.finish()
    quarrels.judge(within_s=60)
    found = platform.treue("verify", "--tenant", court.tenant)
    named = next(check["named"] for check in found["checks"] if check["check"] == "orders_contradicted")
    assert found["drift"] == 0
    assert 0 < named < len(quarrels.over)
