"""Rates: of nothing there is none; of something they are exact."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.errors import UnknownTimeZoneError
from services.metrics.domain.figures import OrderValue, PromoterScore, PurchaseFrequency, RepeatPurchase
from services.metrics.domain.programme import Programme
from services.metrics.entrypoints.schemas import average_text


def test_of_nothing_nothing_is_said() -> None:
    assert RepeatPurchase(0, 0).rate is None
    assert PurchaseFrequency(0, 0).frequency is None
    assert PromoterScore(0, 0, 0).nps is None
    assert OrderValue(0, 0, 0, 500).average_minor is OrderValue(0, 0, 0, 500).average_net_minor is None


def test_nps_is_not_made_of_rounded_shares() -> None:
    score = PromoterScore(13_612, 8_465, 1_194)
    assert (score.passives, round(score.nps or 0, 4)) == (3_953, 53.4161)


@given(orders=st.integers(1, 10**6), customers=st.integers(1, 10**6), revenue=st.integers(0, 10**12))
def test_value_times_frequency_is_revenue_a_customer(orders: int, customers: int, revenue: int) -> None:
    average = OrderValue(orders, 0, revenue, 0).average_minor
    assert average is not None
    assert abs(average * orders - revenue) < Decimal("1e-9") * max(1, revenue)
    assert PurchaseFrequency(orders, customers).frequency == orders / customers


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        ("3589.36", "EUR", "35.8936"), ("0.005", "EUR", "0.0001"), ("1750", "JPY", "1750.00"), ("1", "KWD", "0.00100"),
        ("-33.3333333", "EUR", "-0.3333"), ("1E+12", "EUR", "10000000000.0000"),
    ],
)  # fmt: skip
def test_averages_have_two_digits_more_than_money(minor: str, currency: str, text: str) -> None:
    assert average_text(Decimal(minor), currency) == text


@pytest.mark.parametrize(
    ("zone", "instant", "day"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 22, 59, tzinfo=UTC), date(2026, 3, 28)),  # winter, +1
        ("Europe/Berlin", datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29)),  # summer, a day of 23 hours
        ("Europe/Berlin", datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
        ("America/New_York", datetime(2026, 11, 2, 4, 59, tzinfo=UTC), date(2026, 11, 1)),  # a day of 25 hours
        ("Pacific/Kiritimati", datetime(2026, 1, 1, 10, 0, tzinfo=UTC), date(2026, 1, 2)),
    ],
)
def test_local_days_follow_the_clock_of_the_place(zone: str, instant: datetime, day: date) -> None:
    assert Programme("t", 1, "EUR", zone).business_date(instant) == day


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "/etc/localtime", "Europe", "a\0b"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UnknownTimeZoneError):
        Programme("t", 1, "EUR", name).require_time_zone()
