"""What was paid for each line: nothing is lost, nothing is below zero."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ingest.line_amounts import amount_of, most_of, paid_of

LINES = st.lists(st.tuples(st.integers(-5_000, 20_000), st.sampled_from("abc")), min_size=1, max_size=12)


@given(LINES, st.data())
def test_what_was_paid_for_the_lines_sums_up_to_the_total_and_is_never_below_zero(
    lines: list[tuple[int, str]], data: st.DataObject
) -> None:
    amounts, skus = [amount for amount, _ in lines], [sku for _, sku in lines]
    total = data.draw(st.integers(0, most_of(amounts)))
    paid = paid_of(amounts, skus, total)
    assert sum(paid) == total
    assert min(paid) >= 0


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=12), st.data())
def test_a_discount_on_the_order_is_divided_by_what_the_lines_come_to(amounts: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(amounts)))
    paid = paid_of(amounts, ["s"] * len(amounts), total)
    exact = [total * amount / (sum(amounts) or 1) for amount in amounts]
    assert all(abs(part - share) < 1 for part, share in zip(paid, exact, strict=True)) or not sum(amounts)


def test_a_void_is_taken_from_its_item_and_a_voucher_from_all() -> None:
    assert paid_of([350, 420, -420], ["coffee", "cake", "cake"], 350) == [350, 0, 0]
    assert paid_of([420, 420, -420], ["cake", "cake", "cake"], 420) == [420, 0, 0]
    assert paid_of([3000, 1000, -500], ["a", "b", "voucher"], 3500) == [2625, 875, 0]
    assert paid_of([300, -500], ["a", "voucher"], 0) == [0, 0]


def test_weighed_goods_are_rounded_once_halves_away_from_zero() -> None:
    assert amount_of(450, 1990, 0) == 896  # 895.5
    assert amount_of(450, -1990, 0) == -896
    assert amount_of(333, 1000, 100) == 233
