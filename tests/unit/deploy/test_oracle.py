"""The serial oracle of the fault tests: what a topic of purchases comes to."""

from datetime import UTC, datetime

from deploy.chaos.oracle import Books, folded
from shared.events.contract import Event
from shared.events.envelope import Envelope, record_of
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.ids import event_id
from shared.messaging.incoming import Incoming, RawRecord, read

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def _bought(name: str, total_minor: int, order: str = "o-1", customer: str | None = "ada") -> Incoming:
    return _incoming(
        name,
        PurchaseCompleted(
            occurred_at=NOW, order_id=order, customer_id=customer, currency="EUR", total_minor=total_minor, lines=()
        ),
    )


def _back(name: str, total_minor: int, order: str = "o-1") -> Incoming:
    return _incoming(
        name,
        PurchaseReturned(occurred_at=NOW, order_id=order, customer_id="ada", currency="EUR", total_minor=total_minor),
    )


def _cancelled(name: str, order: str = "o-1") -> Incoming:
    return _incoming(name, PurchaseCancelled(occurred_at=NOW, order_id=order, customer_id="ada"))


def _incoming(name: str, event: Event) -> Incoming:
    envelope = Envelope(
        id=event_id("acme", "event", name), type=event.TYPE, version=event.VERSION, tenant="acme", source="t", time=NOW
    )
    record = record_of(envelope, event)
    found = read(RawRecord(record.topic, 0, 0, record.key, record.value, record.headers, NOW), lambda _: True)
    assert isinstance(found, Incoming)
    return found


def test_each_order_earns_by_what_stays_paid() -> None:
    events = [_bought("a", 4990), _back("b", 1000), _bought("c", 199, order="o-2"), _bought("d", 700, "o-3", None)]
    assert folded(events) == Books({"ada": 39 + 1}, orders=3, refunds_minor=1000)


def test_repetitions_other_bodies_and_a_second_purchase_of_an_order_change_nothing() -> None:
    events = [_bought("a", 4990), _bought("a", 4990), _bought("a", 9990), _bought("again", 9990)]
    assert folded(events) == Books({"ada": 49}, orders=1, refunds_minor=0)


def test_a_return_may_come_first_and_never_takes_more_than_there_is() -> None:
    assert folded([_back("b", 3000), _bought("a", 8000), _back("c", 5001)]) == Books({"ada": 50}, 1, 3000)


def test_a_cancelled_order_counts_nowhere_until_it_is_bought_again_once() -> None:
    cancelled = [_bought("a", 8000), _back("b", 3000), _cancelled("c"), _back("d", 100)]
    assert folded(cancelled) == Books({}, 0, 0)
    again = [*cancelled, _bought("e", 8000)]
    assert folded(again) == Books({"ada": 50}, 1, 3000)
    assert folded([*again, _cancelled("f"), _bought("g", 8000)]) == Books({}, 0, 0)
