"""Money becomes points."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.domain.award import divide_half_up, exact_points, points_of
from services.points.domain.programme import Rounding
from shared.apportionment import apportion


@pytest.mark.parametrize(
    ("minor", "currency", "rate", "rounding", "points"),
    [
        (4990, "EUR", "1", Rounding.FLOOR, 49),
        (4990, "EUR", "1", Rounding.HALF_UP, 50),
        (4950, "EUR", "1", Rounding.HALF_UP, 50),
        (4949, "EUR", "1", Rounding.HALF_UP, 49),
        (4901, "EUR", "1", Rounding.CEIL, 50),
        (4900, "EUR", "1", Rounding.CEIL, 49),
        (0, "EUR", "1", Rounding.CEIL, 0),
        (500, "JPY", "0.01", Rounding.FLOOR, 5),
        (12_345, "KWD", "2", Rounding.FLOOR, 24),
        (100, "EUR", "1.1", Rounding.CEIL, 2),
        (1000, "EUR", "1.1", Rounding.CEIL, 11),  # a float would make 12 of it
        (10**15, "JPY", "1000", Rounding.FLOOR, 10**18),
    ],
)
def test_points_of_an_amount(minor: int, currency: str, rate: str, rounding: Rounding, points: int) -> None:
    assert points_of(minor, currency, Decimal(rate), rounding) == points


def test_nothing_is_rounded_before_its_time() -> None:
    exact = exact_points(999_999_999_999_999, "EUR", Decimal("999.999999"))
    assert exact == Decimal(999_999_999_999_999 * 999_999_999).scaleb(-8)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_shares_sum_to_the_whole_and_miss_their_due_by_less_than_one(points: int, weights: list[int]) -> None:
    shares = apportion(points, weights)
    assert sum(shares) == points
    total = sum(weights)
    if total:
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share * total - points * weight) < total


@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_half_up(numerator: int, denominator: int) -> None:
    nearest = divide_half_up(numerator, denominator)
    assert 2 * numerator - denominator < 2 * nearest * denominator <= 2 * numerator + denominator
