"""A customer's state: extended in order, or made anew, it is the same."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.customers import CustomerState
from services.metrics.domain.sums import Sums

FIRST = date(2026, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def test_a_second_order_on_the_first_day_is_the_second() -> None:
    assert CustomerState.of([(day(3), Sums(2, 10, 0))]).second_day == day(3)


def test_a_refund_is_no_visit() -> None:
    state = CustomerState.of([(day(1), Sums(1, 10, 0)), (day(5), Sums(0, 0, 10))])
    assert state == CustomerState(day(1), None, day(1), 1, 1, 10, 10)


def test_what_reaches_back_is_left_to_be_made_anew() -> None:
    state = CustomerState.of([(day(5), Sums(1, 10, 0))])
    for change in ([(day(4), Sums(1, 1, 0))], [(day(5), Sums(-1, -10, 0))], [(day(9), Sums(-1, 0, 0))]):
        assert not state.extend(change)
    assert state == CustomerState(day(5), None, day(5), 1, 1, 10, 0)
    assert state.extend([(day(2), Sums(0, 0, 4)), (day(5), Sums(1, 1, 0))])
    assert state == CustomerState(day(5), day(5), day(5), 1, 2, 11, 4)


sums = st.builds(Sums, st.integers(0, 3), st.integers(0, 99), st.integers(0, 9))
days = st.dictionaries(st.integers(0, 9).map(day), sums, max_size=8)


@given(before=days, after=days)
def test_extending_is_the_same_as_making_anew(before: dict[date, Sums], after: dict[date, Sums]) -> None:
    state = CustomerState.of(before.items())
    if state.extend(sorted(after.items(), key=lambda each: each[0])):
        whole = {key: Sums() for key in (*before, *after)}
        for part in (before, after):
            for key, each in part.items():
                whole[key].add(each.orders, each.gross_minor, each.refunded_minor)
        assert state == CustomerState.of(whole.items())
