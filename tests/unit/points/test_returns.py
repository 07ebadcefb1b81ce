"""What returns take back, by the award's own rule."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.points.domain.award import Award, points_of
from services.points.domain.order import Line, Order, Refusal, RefusedError
from services.points.domain.programme import ReturnPolicy, Rounding
from services.points.domain.returns import Return, ReturnedUnits, Unusable, cancel, reinstate, take_return
from shared.apportionment import apportion
from shared.ids import new_id

RATES = st.decimals("0", "20", places=2)


def order_of(total: int, rate: Decimal, rounding: Rounding, policy: ReturnPolicy, lines: int = 0) -> Order:
    points = points_of(total, "EUR", rate, rounding)
    order = Order("shop", "o-1", new_id(), "ada", "EUR", total, award=Award(1, rate, rounding, policy, points))
    shares = apportion(points, [1] * lines)
    order.lines = [Line(f"l-{number}", 3, share) for number, share in enumerate(shares)]
    return order


def back(minor: int, currency: str = "EUR", customer: str | None = None, **units: int) -> Return:
    return Return(minor, currency, customer, [ReturnedUnits(name, count) for name, count in units.items()])


@st.composite
def splits(draw: st.DrawFn) -> tuple[int, list[int]]:
    """An order's total, and parts of it that come back."""
    parts = draw(st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
    return sum(parts) + draw(st.integers(0, 10_000)), parts


@given(splits(), RATES, st.sampled_from(Rounding), st.sampled_from(ReturnPolicy), st.randoms())
def test_any_split_in_any_order_takes_what_one_return_takes(
    split: tuple[int, list[int]], rate: Decimal, rounding: Rounding, policy: ReturnPolicy, chance: object
) -> None:
    total, parts = split
    once, often = (order_of(total, rate, rounding, policy) for _ in range(2))
    taken = take_return(once, back(sum(parts))).points
    chance.shuffle(parts)  # type: ignore[attr-defined]
    assert sum(take_return(often, back(part)).points for part in parts) == taken == often.clawed
    assert 0 <= taken <= once.points


@given(splits(), RATES, st.sampled_from(Rounding), st.sampled_from(ReturnPolicy), st.booleans())
def test_what_comes_back_whole_takes_every_point(
    split: tuple[int, list[int]], rate: Decimal, rounding: Rounding, policy: ReturnPolicy, cancelled: bool
) -> None:
    total, parts = split
    order = order_of(total, rate, rounding, policy)
    taken = sum(take_return(order, back(part)).points for part in parts)
    taken += cancel(order, None) if cancelled else take_return(order, back(total - sum(parts))).points
    assert taken == order.points == order.clawed
    assert order.returned_minor == total


@given(st.integers(1, 6), st.integers(0, 10**6), st.data())
def test_by_item_each_line_takes_its_own_share(lines: int, total: int, data: st.DataObject) -> None:
    order = order_of(total, Decimal(1), Rounding.FLOOR, ReturnPolicy.ITEM, lines)
    for _ in range(data.draw(st.integers(1, 6))):
        name = f"l-{data.draw(st.integers(0, lines - 1))}"
        line = next(each for each in order.lines if each.line_id == name)
        count = data.draw(st.integers(0, 3))
        before = order.clawed
        if line.returned + count > 3:  # nothing but money counts then
            assert take_return(order, back(0, **{name: count})).points == 0
            assert order.clawed == before
        else:
            take_return(order, back(0, **{name: count}))
    if all(line.returned == 3 for line in order.lines):
        assert order.clawed == order.points
    if order.returned_minor < order.total_minor:
        wanted = sum((2 * line.points * line.returned + 3) // 6 for line in order.lines)
        assert order.clawed == min(wanted, order.points)


@pytest.mark.parametrize(
    ("given_back", "refusal"),
    [
        (back(1001), Refusal.RETURN_EXCEEDS_PURCHASE),
        (back(-1), Refusal.AMOUNT_NEGATIVE),
        (back(1, currency="USD"), Refusal.CURRENCY_NOT_OF_PROGRAMME),
        (back(1, customer="bob"), Refusal.CUSTOMER_NOT_OF_ORDER),
    ],
)
def test_what_is_refused_changes_nothing(given_back: Return, refusal: Refusal) -> None:
    order = order_of(1000, Decimal(1), Rounding.FLOOR, ReturnPolicy.ITEM, lines=2)
    before = replace(order, lines=[replace(line) for line in order.lines])
    with pytest.raises(RefusedError) as refused:
        take_return(order, given_back)
    assert refused.value.refusal is refusal
    assert order == before


LINES = st.lists(
    st.builds(ReturnedUnits, st.sampled_from(("l-0", "l-1", "none")), st.integers(-2, 9), st.integers(-5, 3000)),
    max_size=4,
)


@given(st.lists(st.tuples(st.integers(0, 900), LINES), max_size=6), st.integers(0, 3000))
def test_lines_never_decide_whether_a_return_is_accepted(
    parts: list[tuple[int, list[ReturnedUnits]]], total: int
) -> None:
    order = order_of(total, Decimal(1), Rounding.FLOOR, ReturnPolicy.ITEM, lines=2)
    left = total
    for minor, units in parts:
        given_back = Return(minor, "EUR", None, units)
        if minor > left + (1 if left and units else 0):
            with pytest.raises(RefusedError, match="return_exceeds_purchase"):
                take_return(order, given_back)
        else:
            assert take_return(order, given_back).clamped_minor == max(minor - left, 0)
            left = max(left - minor, 0)
        assert order.returned_minor == total - left
        assert order.unlined_minor <= order.returned_minor
        assert 0 <= order.clawed <= order.points
        assert all(0 <= line.returned <= line.milli for line in order.lines)


def test_what_names_unusable_lines_counts_pro_rata_beside_the_usable_ones() -> None:
    order = order_of(3000, Decimal(1), Rounding.FLOOR, ReturnPolicy.ITEM, lines=2)  # 15 points each, of 3 units
    taken = take_return(order, Return(1500, "EUR", None, [ReturnedUnits("l-0", 1, 500), ReturnedUnits("x", 1, 1000)]))
    assert (taken.points, taken.unusable_minor, taken.unusable) == (15, 1000, {"x": Unusable.UNKNOWN_LINE})
    assert (order.unlined_minor, order.lines[0].returned) == (1000, 1)
    assert take_return(order, Return(300, "EUR", None, [ReturnedUnits("l-0", 3, 300)])).points == 3
    assert (order.unlined_minor, order.lines[0].returned) == (1300, 1)


def test_nothing_comes_back_of_a_cancelled_order() -> None:
    order = order_of(1000, Decimal(1), Rounding.FLOOR, ReturnPolicy.RECOMPUTE)
    assert cancel(order, "ada") == 10
    for again in (lambda: cancel(order, "ada"), lambda: take_return(order, back(1))):
        with pytest.raises(RefusedError):
            again()


@given(splits(), RATES, st.sampled_from(Rounding), st.sampled_from(ReturnPolicy))
def test_a_reinstated_order_is_as_before_its_cancellation_and_takes_returns_as_if_it_had_never_been(
    split: tuple[int, list[int]], rate: Decimal, rounding: Rounding, policy: ReturnPolicy
) -> None:
    total, parts = split
    order, plain = (order_of(total, rate, rounding, policy, lines=2) for _ in range(2))
    for part in parts[:1]:
        assert take_return(order, back(part, **{"l-0": 1})) == take_return(plain, back(part, **{"l-0": 1}))
    taken = cancel(order, "ada")
    undone = reinstate(order, "ada", total)
    assert (undone.points, order.clawed, order.returned_minor) == (taken, plain.clawed, plain.returned_minor)
    assert (order.cancelled, order.lines) == (False, plain.lines)
    for part in parts[1:]:
        assert take_return(order, back(part)) == take_return(plain, back(part))
    with pytest.raises(RefusedError, match="order_already_counted"):
        reinstate(order, "ada", total)
    cancel(order, "ada")
    with pytest.raises(RefusedError, match="order_already_counted"):  # once
        reinstate(order, "ada", total)


@pytest.mark.parametrize(("customer", "total"), [("bob", 1000), (None, 1000), ("ada", 999)])
def test_another_purchase_reinstates_nothing(customer: str | None, total: int) -> None:
    order = order_of(1000, Decimal(1), Rounding.FLOOR, ReturnPolicy.RECOMPUTE)
    cancel(order, "ada")
    with pytest.raises(RefusedError, match="order_differs"):
        reinstate(order, customer, total)
    assert (order.cancelled, order.clawed) == (True, 10)


@pytest.mark.parametrize(
    ("units", "why"),
    [
        (ReturnedUnits("l-0", 4, 100), Unusable.MORE_THAN_LEFT),
        (ReturnedUnits("l-9", 1, 100), Unusable.UNKNOWN_LINE),
        (ReturnedUnits("l-0", 1, 3_000_000), Unusable.MORE_THAN_ORDER),
    ],
)
@pytest.mark.parametrize("policy", ReturnPolicy)
def test_a_line_that_cannot_be_used_is_named_under_every_policy(
    units: ReturnedUnits, why: Unusable, policy: ReturnPolicy
) -> None:
    order = order_of(3000, Decimal(1), Rounding.FLOOR, policy, lines=2)
    taken = take_return(order, Return(300, "EUR", None, [units]))
    assert (taken.points, taken.unusable, taken.unusable_minor) == (3, {units.line_id: why}, 300)
    assert order.unlined_minor == 300


def test_lines_of_an_order_of_which_none_are_known_are_named_too() -> None:
    order = order_of(3000, Decimal(1), Rounding.FLOOR, ReturnPolicy.RECOMPUTE)
    taken = take_return(order, Return(300, "EUR", None, [ReturnedUnits("1", 1, 300)]))
    assert taken.unusable == {"1": Unusable.ORDER_HAS_NO_LINES}


def test_by_item_a_fee_that_was_kept_changes_nothing_and_money_beyond_the_lines_counts_pro_rata() -> None:
    fee, more = (order_of(3000, Decimal(1), Rounding.FLOOR, ReturnPolicy.ITEM, lines=2) for _ in range(2))
    assert take_return(fee, Return(300, "EUR", None, [ReturnedUnits("l-0", 1, 500)])).points == 5
    assert take_return(more, Return(800, "EUR", None, [ReturnedUnits("l-0", 1, 500)])).points == 5 + 3


def test_a_return_is_judged_by_the_award_and_not_by_a_later_rule() -> None:
    order = order_of(1000, Decimal(5), Rounding.FLOOR, ReturnPolicy.RECOMPUTE)
    assert take_return(order, back(500)).points == 25
