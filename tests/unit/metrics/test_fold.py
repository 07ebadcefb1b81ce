"""A log of order events, folded at once or in pieces, adds the same to the days."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.errors import RefusedEventError
from services.metrics.domain.fold import OrderFold
from services.metrics.domain.orders import Order, Refund, refusal_of
from services.metrics.domain.sums import DayChanges

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = AT.date()
Step = Callable[[OrderFold], str]


def bought(order: str, total: int = 100, number: int = 1, customer: str | None = "ada") -> Step:
    new = Order("t", order, customer, AT, DAY, total, event_id=UUID(int=number))
    return lambda fold: fold.purchase(deepcopy(new), 0)


def returned(order: str, amount: int, number: int, customer: str | None = None, lines: bool = False) -> Step:
    day = date(2026, 3, 1 + number % 20)
    new = Refund("t", order, UUID(int=number), customer, amount, AT, day, names_lines=lines)
    return lambda fold: fold.give_back(deepcopy(new), 1)


def cancelled(order: str, customer: str | None = None) -> Step:
    return lambda fold: fold.cancel(("t", order), customer, 0)


class Stored:
    """The tables, in memory."""

    def __init__(self) -> None:
        self.orders: dict[tuple[str, str], Order] = {}
        self.refunds: list[Refund] = []
        self.days: defaultdict[object, list[int]] = defaultdict(lambda: [0, 0, 0])

    def fold(self, steps: Sequence[Step]) -> list[str]:
        fold = OrderFold(self.orders.values(), self.refunds)
        kinds = [_tried(step, fold) for step in steps]
        self.orders |= fold.created | fold.changed
        self.refunds += fold.refunds
        self._add(fold.days)
        return kinds

    def figures(self) -> dict[date, list[int]]:
        """What counts on each day, whichever partition brought it."""
        found: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
        for key, sums in self.days.items():
            day = next(each for each in key if isinstance(each, date))  # type: ignore[attr-defined]
            found[day] = [one + other for one, other in zip(found[day], sums, strict=True)]
        return {day: sums for day, sums in found.items() if any(sums)}

    def _add(self, changes: DayChanges) -> None:
        for each in (changes.customers, changes.tenants):
            for key, sums in each.items():
                now = self.days[key]
                self.days[key] = [now[0] + sums.orders, now[1] + sums.gross_minor, now[2] + sums.refunded_minor]


def _tried(step: Step, fold: OrderFold) -> str:
    try:
        return step(fold)
    except RefusedEventError as refused:
        return refused.code


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        ([bought("o"), bought("o", number=2)], ["order.counted", "order_already_counted"]),
        ([bought("o", -1)], ["amount_negative"]),
        ([bought("o"), returned("o", 60, 1), returned("o", 41, 2)], [..., "order.refunded", "return_exceeds_purchase"]),
        ([bought("o"), returned("o", 60, 1), returned("o", 42, 2, lines=True)], [..., ..., "return_exceeds_purchase"]),
        ([bought("o"), returned("o", 60, 1), returned("o", 41, 2, lines=True)], [..., ..., "order.refunded"]),
        ([bought("o"), returned("o", 100, 1), returned("o", 1, 2, lines=True)], [..., ..., "return_exceeds_purchase"]),
        ([bought("o"), returned("o", 100, 1), returned("o", 0, 2)], [..., ..., "order.refunded"]),
        ([bought("o"), cancelled("o", "ada"), bought("o", number=2)], [..., "order.voided", "order.reinstated"]),
        ([cancelled("o", "ada"), bought("o"), bought("o", number=2)], [..., "order.voided", "order.reinstated"]),
        ([bought("o"), cancelled("o", "ada"), bought("o", 99, number=2)], [..., "order.voided", "order_differs"]),
        ([bought("o"), cancelled("o", "ada"), bought("o", number=2, customer="bob")], [..., ..., "order_differs"]),
        (
            [bought("o"), cancelled("o", "ada"), bought("o", number=2), bought("o", number=3)],
            [..., ..., "order.reinstated", "order_already_counted"],
        ),
        (
            [bought("o"), cancelled("o", "ada"), bought("o", number=2), cancelled("o", "ada"), bought("o", number=3)],
            [..., ..., "order.reinstated", "order.voided", "order_already_counted"],
        ),
        (
            [bought("o"), cancelled("o", "ada"), bought("o", number=2), returned("o", 101, 3, lines=True)],
            [..., ..., ..., "order.refunded"],
        ),
        ([bought("o"), returned("o", 1, 1, "bob")], [..., "customer_not_of_order"]),
        ([bought("o", customer=None), returned("o", 1, 1, "bob")], [..., "order.refunded"]),
        ([bought("o"), returned("o", -1, 1)], [..., "amount_negative"]),
        ([returned("o", 60, 1), bought("o")], ["refund.waiting", "order.counted"]),
        ([bought("o"), cancelled("o"), cancelled("o")], [..., "order.voided", "order_already_cancelled"]),
        ([bought("o"), cancelled("o", "bob")], [..., "customer_not_of_order"]),
        ([cancelled("o"), bought("o")], ["order.voided", "order.voided"]),
        ([cancelled("o", "bob"), bought("o")], ["order.voided", "order.counted"]),
        ([cancelled("o", "bob"), returned("o", 60, 1), bought("o")], [..., "refund.waiting", "order.counted"]),
        ([cancelled("o", "bob"), cancelled("o"), bought("o")], ["order.voided", "order.voided", "order.voided"]),
        ([cancelled("o"), cancelled("o", "bob"), bought("o")], [..., "order_already_cancelled", "order.voided"]),
        ([bought("o"), cancelled("o"), returned("o", 1, 1)], [..., "order.voided", "return_exceeds_purchase"]),
    ],
)
def test_what_becomes_of_events(steps: list[Step], kinds: list[object]) -> None:
    found = Stored().fold(steps)
    assert [kind for kind, wanted in zip(found, kinds, strict=True) if wanted is not ...] == [
        wanted for wanted in kinds if wanted is not ...
    ]


def test_what_is_refused_changes_nothing() -> None:
    stored = Stored()
    stored.fold([bought("o"), returned("o", 60, 1)])
    before = deepcopy((stored.orders, dict(stored.days)))
    stored.fold([bought("o", 5, 9), returned("o", 42, 2), returned("o", 1, 3, "bob"), cancelled("o", "bob")])
    assert (stored.orders, dict(stored.days)) == before


def test_what_is_more_than_its_order_by_a_minor_unit_is_cut_also_when_it_waited() -> None:
    early, late = Stored(), Stored()
    early.fold([returned("o", 60, 1)])
    early.fold([returned("o", 41, 2, lines=True)])
    early.fold([bought("o")])
    late.fold([bought("o"), returned("o", 60, 1), returned("o", 41, 2, lines=True)])
    assert early.orders == late.orders
    assert early.figures() == late.figures()
    assert [(each.amount_minor, each.clamped_minor) for each in late.refunds] == [(60, 0), (40, 1)]


def test_a_reinstated_order_counts_as_if_it_had_never_been_cancelled() -> None:
    plain, again = Stored(), Stored()
    plain.fold([bought("o"), returned("o", 60, 11)])
    again.fold([bought("o"), returned("o", 60, 11), cancelled("o", "ada")])
    again.fold([bought("o", number=2)])
    assert again.figures() == plain.figures()
    assert again.orders["t", "o"].refunded_minor == 60


@pytest.mark.parametrize("other", [returned("o", 60, 11), cancelled("o")], ids=["return", "cancellation"])
def test_what_comes_on_another_partition_comes_to_the_same_wherever_it_falls(other: Step) -> None:
    """The purchase, its cancellation and the purchase again come in this order everywhere; what names nobody may come
    before, between or after them."""
    told = [bought("o"), cancelled("o", "ada"), bought("o", number=2)]
    found = []
    for place in range(len(told) + 1):
        stored = Stored()
        for step in (*told[:place], other, *told[place:]):
            stored.fold([step])
        order = stored.orders["t", "o"]
        found.append((order.cancelled, order.cancelled or order.refunded_minor, stored.figures()))
    assert all(each == found[0] for each in found), found


def test_an_order_that_somebody_cancelled_without_a_name_is_not_reinstated() -> None:
    assert Stored().fold([bought("o"), cancelled("o"), bought("o", number=2)])[-1] == "order_already_counted"
    assert Stored().fold([cancelled("o"), bought("o"), bought("o", number=2)])[-1] == "order_already_counted"


def test_a_void_leaves_nothing_on_any_day() -> None:
    stored = Stored()
    stored.fold([bought("o"), returned("o", 60, 1), returned("o", 30, 2)])
    stored.fold([cancelled("o", "ada")])
    # Each partition adds to rows of its own: only their sum is nothing.
    assert [sum(column) for column in zip(*stored.days.values(), strict=True)] == [0, 0, 0]


steps = st.lists(
    st.one_of(
        st.builds(bought, st.sampled_from("ab"), st.integers(0, 100), st.integers(1, 3), st.sampled_from(["x", None])),
        st.builds(returned, st.sampled_from("ab"), st.integers(0, 60), st.integers(10, 99)),
        st.builds(cancelled, st.sampled_from("ab")),
    ),
    max_size=12,
)


@given(told=steps, cut=st.integers(0, 12))
def test_a_log_in_two_batches_is_the_log_in_one(told: list[Step], cut: int) -> None:
    once, twice = Stored(), Stored()
    at_once = once.fold(told)
    in_two = twice.fold(told[:cut]) + twice.fold(told[cut:])
    assert at_once == in_two
    assert once.orders == twice.orders
    assert {key: sums for key, sums in once.days.items() if any(sums)} == {
        key: sums for key, sums in twice.days.items() if any(sums)
    }
    assert all(0 <= order.refunded_minor <= (order.gross_minor or 10_000) for order in once.orders.values())


@pytest.mark.parametrize(
    ("amount", "named", "erased", "reason"),
    [
        (102, None, False, "return_exceeds_purchase"),
        (50, "bob", False, "customer_not_of_order"),
        (102, "bob", False, "customer_not_of_order"),
        (50, "bob", True, "customer_not_of_order"),
    ],
)
@pytest.mark.parametrize("voided", [False, True])
def test_why_a_refund_that_waited_was_refused(
    amount: int, named: str | None, erased: bool, reason: str, voided: bool
) -> None:
    stored = Stored()
    stored.fold([returned("o", amount, 2, named), returned("o", 10, 3), bought("o")])
    if voided:
        stored.fold([cancelled("o")])
    (refund,) = (each for each in stored.refunds if each.refused)
    if erased:
        refund.customer = None
    assert refusal_of(stored.orders["t", "o"], refund) == reason
    assert stored.orders["t", "o"].refunded_minor == 10, "asking changes nothing"
