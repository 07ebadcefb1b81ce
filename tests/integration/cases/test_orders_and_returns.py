"""Orders and returns as shops have them: cases from public reports, by their ids, with the values that they give."""

from typing import Any

import pytest

from services.gateway.ingest.kinds import PURCHASES, RETURNS
from services.points.domain.programme import ReturnPolicy, Rounding
from shared.errors import InvalidError
from tests.support.cases import OpenTill

POLICIES = pytest.mark.parametrize("policy", ReturnPolicy)
ANY: Any = ...


def line(line_id: str, price: str, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {"line_id": line_id, "sku": more.pop("sku", line_id), "quantity": quantity, "unit_price": price} | more


def back(line_id: str, amount: str, quantity: Any = 1) -> dict[str, Any]:
    return {"line_id": line_id, "quantity": quantity, "amount": amount}


@POLICIES
@pytest.mark.parametrize("split", [["33.33"] * 3, ["99.99"], ["33.33", "66.66"]])
async def test_p_01_split_returns_equal_one(till: OpenTill, policy: ReturnPolicy, split: list[str]) -> None:
    shop = await till(return_policy=policy)
    assert (await shop.purchase("o", "99.99", [line(name, "33.33") for name in "abc"])).moved == 99
    claws = [(await shop.returned("o", part)).moved for part in split]
    assert (sum(claws), await shop.balance()) == (99, 0)
    assert len(split) < 3 or claws == [33, 33, 33]


@POLICIES
async def test_p_02_a_percentage_over_lines(till: OpenTill, policy: ReturnPolicy) -> None:
    shop = await till(return_policy=policy)
    lines = [line("a", "100.00", 3, discount="30.00")]
    assert (await shop.purchase("o", "270.00", lines)).moved == 270
    assert (await shop.returned("o", "180.00", [back("a", "180.00", 2)])).moved == 180
    assert await shop.balance() == 90


async def test_p_05_a_part_of_one_units_money(till: OpenTill) -> None:
    shop = await till()
    assert (await shop.purchase("o", "73.50", [line("a", "24.50", 3)])).moved == 73
    moved = [(await shop.returned("o", part, [back("a", part)])).moved for part in ("10.00", "10.00", "53.50")]
    assert moved == [10, 10, 53]
    assert (await shop.returned("o", "0.01")).reason == "return_exceeds_purchase"
    assert await shop.balance() == 0


@POLICIES
async def test_p_06_a_line_that_claims_more_than_the_return(till: OpenTill, policy: ReturnPolicy) -> None:
    shop = await till(return_policy=policy)
    await shop.purchase("o", "30.00", [line("a", "30.00")])
    effect = (await shop.returned("o", "3.00", [back("a", "30000.00")])).effect
    assert (effect["points"], effect["without_usable_lines"]) == (3, "3.00")
    assert effect["unusable_lines"] == [{"line_id": "a", "why": "more_than_order"}]
    assert await shop.balance() == 27


async def test_p_22_one_rounding_then_the_largest_remainder(till: OpenTill) -> None:
    shop = await till(points_per_unit="1.5")
    found = await shop.quote("1.50", [line(name, "0.50") for name in "abc"])
    assert (found.points, [each.points for each in found.lines]) == (2, [1, 1, 0])
    shop = await till(points_per_unit="10.1")
    found = await shop.quote("10.00", [line("a", "3.33"), line("b", "3.33"), line("c", "3.34")])
    assert (found.points, [each.points for each in found.lines]) == (101, [34, 33, 34])


@pytest.mark.parametrize(
    ("currency", "rate", "total", "points"),
    [
        ("EUR", "100", "0.29", 29), ("EUR", "100", "1.15", 115), ("EUR", "3", "19.99", 59), ("KWD", "1", "12.345", 12),
        ("JPY", "0.01", "1000", 10),
    ],
)  # fmt: skip
async def test_p_23_exact_decimals(till: OpenTill, currency: str, rate: str, total: str, points: int) -> None:
    shop = await till(currency, points_per_unit=rate)
    assert (await shop.purchase("o", total)).moved == points


async def test_h_01_status_messages_of_one_order(till: OpenTill) -> None:
    shop = await till()
    placed = shop.body("15", "65.00")
    assert (await shop.bring(PURCHASES, placed, "o15-placed")).moved == 65
    assert (await shop.bring(PURCHASES, placed, "o15-shipped")).reason == "order_already_counted"
    complete = shop.body("15", "65.50")
    assert (await shop.bring(PURCHASES, complete, "o15-complete")).reason == "order_already_counted"
    assert await shop.entries() == [("earned", 65)]


async def test_h_02_the_return_overtakes_the_purchase(till: OpenTill) -> None:
    shop = await till()
    early = await shop.returned("77", "15.00", occurred_at="2026-11-26T09:00:00+01:00")
    assert early.points.reason == "waits_for_purchase"
    await shop.purchase("77", "40.00", occurred_at="2026-11-26T08:00:00+01:00")
    assert await shop.balance() == 25
    await shop.bring(RETURNS, shop.body("78", "30.00", occurred_at="2026-11-26T09:00:00+01:00"), "second")
    await shop.bring(RETURNS, shop.body("78", "20.00", occurred_at="2026-11-26T08:00:00+01:00"), "first")
    await shop.purchase("78", "40.00", occurred_at="2026-11-26T07:00:00+01:00")
    first, second = await shop.later("first"), await shop.later("second")
    assert first.effects[0]["points"] == 20
    assert (second.status, second.reason) == ("rejected", "return_exceeds_purchase")
    await shop.cancelled("79", occurred_at="2026-11-26T09:00:00+01:00")
    await shop.purchase("79", "25.00", occurred_at="2026-11-26T08:00:00+01:00")
    assert await shop.balance() == 45
    assert await shop.revenue() == (2, 8000, 3500)


async def test_h_03_currencies_without_cents_and_with_three_digits(till: OpenTill) -> None:
    yen = await till("JPY")
    assert (await yen.purchase("o", "9899")).moved == 9899
    assert (await yen.returned("o", "5800")).moved == 5800
    assert (await yen.returned("o", "989900")).reason == "return_exceeds_purchase"
    assert yen.refusal(RETURNS, yen.body("o", "58.00")) == {("/total", "amount")}
    assert await yen.balance() == 4099
    dinar = await till("KWD", points_per_unit="10")
    assert (await dinar.purchase("o", "12.345")).moved == 123
    assert (await dinar.returned("o", "2.345")).moved == 23
    assert dinar.refusal(RETURNS, dinar.body("o", "1.0001")) == {("/total", "amount")}
    assert await dinar.balance() == 100


@POLICIES
async def test_h_04_amounts_that_are_none(till: OpenTill, policy: ReturnPolicy) -> None:
    shop = await till(return_policy=policy)
    await shop.purchase("b1", "1.00", [line("a", "1.00")])
    for total in ("1.004956", "1.0049", "-1.00", "1,00", "1e2", "NaN", ""):
        assert shop.refusal(RETURNS, shop.body("b1", total)) == {("/total", "amount")}, total
    for quantity in (-1, 0, 0.5, "0", "-1", "1.0001", "", "1e1", True):
        body = shop.body("b1", "1.00", lines=[back("a", "1.00", quantity)])
        assert shop.refusal(RETURNS, body) == {("/lines/0/quantity", "quantity")}, quantity
    effect = (await shop.returned("b1", "1.00", [back("a", "1.00", 2)])).effect
    assert (effect["points"], effect["without_usable_lines"]) == (1, "1.00")
    assert effect["unusable_lines"] == [{"line_id": "a", "why": "more_than_left"}]
    assert await shop.balance() == 0


@pytest.mark.parametrize(
    ("rounding", "earned", "claws"),
    [(Rounding.FLOOR, 3, [0, 3, 0]), (Rounding.HALF_UP, 4, [1, 3, 0]), (Rounding.CEIL, 4, [0, 3, 1])],
)
async def test_h_05_rounding_under_returns(till: OpenTill, rounding: Rounding, earned: int, claws: list[int]) -> None:
    shop = await till(points_per_unit="0.35", rounding=rounding)
    assert (await shop.purchase("o", "10.00")).moved == earned
    assert [(await shop.returned("o", part)).moved for part in ("0.01", "9.98", "0.01")] == claws
    assert await shop.balance() == 0


@pytest.mark.parametrize(
    ("total", "rate", "points"),
    [
        ("289.50", "4", 1158), ("149.99", "10", 1499), ("127.43", "2", 254), ("0.57", "100", 57), ("1.13", "100", 113),
        ("4.35", "100", 435), ("8.41", "100", 841), ("1.10", "3", 3),
    ],
)  # fmt: skip
async def test_h_06_exact_products(till: OpenTill, total: str, rate: str, points: int) -> None:
    shop = await till(points_per_unit=rate)
    assert (await shop.purchase("o", total)).moved == points


async def test_h_20_pending_whose_points_a_return_takes(till: OpenTill) -> None:
    """Without expiry, which does not exist yet; the instants lie in the past of the running clock."""
    shop = await till(points_per_unit="0.02", activation_delay_days=14)
    await shop.purchase("old", "2000.00", occurred_at="2026-01-01T10:00:00+01:00")
    await shop.activate_due()
    now = "2026-11-20T10:00:00+01:00"
    await shop.purchase("n", "1000.00", occurred_at=now)
    await shop.purchase("m", "500.00", occurred_at=now)
    assert (await shop.returned("m", "250.00")).moved == 5
    found = await shop.wallet()
    assert (found.posted, found.pending) == (40, 25)
    await shop.purchase("other", "1000.00", occurred_at=now, customer_id="c2")
    await shop.cancelled("other", customer_id="c2")
    found = await shop.wallet("c2")
    assert (found.posted, found.pending, found.debt) == (0, 0, 0)


@POLICIES
async def test_h_30_one_item_of_an_order_with_a_discount_on_the_whole(till: OpenTill, policy: ReturnPolicy) -> None:
    lines = [line("1", "6.00"), line("2", "4.00")]
    shop = await till(return_policy=policy)
    quoted = await shop.quote("9.00", lines)
    assert [(each.paid_minor, each.points) for each in quoted.lines] == [(540, 5), (360, 4)]
    assert (await shop.purchase("o", "9.00", lines)).moved == 9
    assert (await shop.entry_details())[0]["paid_for_lines"] == [
        {"line_id": "1", "paid": "5.40"}, {"line_id": "2", "paid": "3.60"},
    ]  # fmt: skip
    assert (await shop.returned("o", "3.60", [back("2", "3.60")])).moved == 4
    assert (await shop.returned("o", "5.40", [back("1", "5.40")])).moved == 5
    await shop.purchase("fresh", "9.00", lines)
    assert (await shop.returned("fresh", "4.00", [back("2", "4.00")])).moved == 4
    assert (await shop.returned("fresh", "5.40", [back("1", "5.40")])).reason == "return_exceeds_purchase"
    assert (await shop.returned("fresh", "5.00", [back("1", "5.00")])).moved == 5


@pytest.mark.parametrize(
    ("policy", "claws"),
    [(ReturnPolicy.RECOMPUTE, [7, 7, 6]), (ReturnPolicy.PRO_RATA, [7, 6, 7]), (ReturnPolicy.ITEM, [7, 6, 7])],
)
async def test_h_31_thirds_of_a_cent(till: OpenTill, policy: ReturnPolicy, claws: list[int]) -> None:
    shop = await till(return_policy=policy)
    lines = [line("a", "6.67", 3, discount="0.01")]
    assert (await shop.purchase("o", "20.00", lines)).moved == 20
    parts = ("6.67", "6.67", "6.66")
    assert [(await shop.returned("o", part, [back("a", part)])).moved for part in parts] == claws
    await shop.purchase("fresh", "20.00", lines)
    for _ in range(2):
        await shop.returned("fresh", "6.67", [back("a", "6.67")])
    last = await shop.returned("fresh", "6.67", [back("a", "6.67")])
    assert (last.effect["clamped"], last.metrics.effects[0]["clamped"], last.moved) == ("0.01", "0.01", claws[2])
    assert (await shop.returned("fresh", "0.01")).reason == "return_exceeds_purchase"
    assert (await shop.balance(), await shop.revenue()) == (0, (2, 4000, 4000))


async def test_h_31_a_cent_too_much_is_cut_also_of_a_return_that_waited(till: OpenTill) -> None:
    shop = await till()
    await shop.bring(RETURNS, shop.body("o", "20.01", lines=[back("1", "20.01")]), "early")
    await shop.purchase("o", "20.00")
    assert (await shop.later("early")).effects[0]["clamped"] == "0.01"
    assert (await shop.balance(), await shop.revenue()) == (0, (1, 2000, 2000))


async def test_money_alone_is_never_cut_and_a_return_of_nothing_is_none(till: OpenTill) -> None:
    shop = await till()
    await shop.purchase("o", "20.00")
    assert (await shop.returned("o", "20.01")).reason == "return_exceeds_purchase"
    assert shop.refusal(RETURNS, shop.body("o", "0.00")) == {("/total", "nothing_returned")}


@POLICIES
async def test_h_33_orders_and_lines_without_money(till: OpenTill, policy: ReturnPolicy) -> None:
    shop = await till(return_policy=policy)
    free = [line(name, "10.00", discount="10.00") for name in "12"]
    assert (await shop.purchase("a", "0.00", free)).moved == 0
    assert [(await shop.returned("a", "0.00", [back(name, "0.00")])).moved for name in "12"] == [0, 0]
    assert (await shop.returned("a", "0.01")).reason == "return_exceeds_purchase"
    gift = [line("1", "20.00"), line("2", "5.00", discount="5.00")]
    assert (await shop.purchase("b", "20.00", gift)).moved == 20
    assert (await shop.returned("b", "0.00", [back("2", "0.00")])).moved == 0
    assert (await shop.returned("b", "20.00", [back("1", "20.00")])).moved == 20
    void = [line("1", "3.50", sku="coffee"), line("2", "4.20", sku="cake"), line("3", "-4.20", sku="cake")]
    quoted = await shop.quote("3.50", void)
    assert [(each.paid_minor, each.points) for each in quoted.lines] == [(350, 3), (0, 0), (0, 0)]
    assert (await shop.purchase("c", "3.50", void)).moved == 3


@POLICIES
async def test_weighed_goods_and_a_part_of_them(till: OpenTill, policy: ReturnPolicy) -> None:
    shop = await till(return_policy=policy, points_per_unit="10")
    lines = [line("cheese", "19.90", "0.450"), line("bread", "4.00")]
    quoted = await shop.quote("12.96", lines)  # 8.955, rounded once
    assert [each.paid_minor for each in quoted.lines] == [896, 400]
    assert (await shop.purchase("o", "12.96", lines)).moved == 129
    moved = [(await shop.returned("o", part, [back("cheese", part, kilos)])).moved for part, kilos in (
        ("2.99", "0.150"), ("5.97", "0.300"),
    )]  # fmt: skip
    assert sum(moved) == 89
    beyond = await shop.returned("o", "1.00", [back("cheese", "1.00", "0.001")])
    assert beyond.effect["unusable_lines"] == [{"line_id": "cheese", "why": "more_than_left"}]
    assert (await shop.returned("o", "3.00")).reason is None
    assert await shop.balance() == 0


async def test_vouchers_and_deposits_are_lines_below_zero(till: OpenTill) -> None:
    shop = await till()
    lines = [line("1", "30.00"), line("2", "10.00"), line("pfand", "-0.25", 4), line("voucher", "-5.00")]
    quoted = await shop.quote("34.00", lines)
    assert [each.paid_minor for each in quoted.lines] == [2550, 850, 0, 0]
    assert (await shop.purchase("o", "34.00", lines)).moved == 34
    assert (await shop.purchase("voucher beyond the goods", "0.00", [line("1", "3.00"), line("v", "-5.00")])).moved == 0
    assert shop.refusal(PURCHASES, shop.body("x", "-2.00", lines=[line("1", "3.00"), line("v", "-5.00")])) == {
        ("/total", "amount")
    }


async def test_the_total_may_be_a_minor_unit_a_line_above_and_no_more(till: OpenTill) -> None:
    shop = await till()
    lines = [line("1", "1.00"), line("2", "1.00")]
    quoted = await shop.quote("2.02", lines)
    assert [each.paid_minor for each in quoted.lines] == [101, 101]
    assert (await shop.purchase("o", "2.02", lines)).moved == 2
    with pytest.raises(InvalidError) as refused:
        await shop.purchase("shipped", "6.99", lines)
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.rule) == ("/total", "more_than_lines")
    assert "2.00" in fault.detail
    assert "shipping" in fault.detail


async def test_receipts_without_lines_tax_and_trailing_zeros_and_any_order_id(till: OpenTill) -> None:
    shop = await till()
    assert (await shop.purchase("R 2026:11/4711", "5.0000")).moved == 5
    assert (await shop.returned("R 2026:11/4711", "2.500000")).moved == 3
    guest = await shop.purchase("Bon: 12", "10.00", customer_id=None)
    assert guest.effect["kind"] == "order.recorded"
    assert (await shop.purchase("t", "11.90", [line("1", "11.90", tax="1.90")])).moved == 11
    assert shop.refusal(PURCHASES, shop.body("u", "11.90", lines=[line("1", "11.90", tax="12.00")])) == {
        ("/lines/0/tax", "tax")
    }


@pytest.mark.parametrize(
    "change",
    [
        {"total": "6.99"}, {"total": "1e3"}, {"currency": "USD"}, {"lines": [line("1", "2.00", 0.5)]},
        {"lines": [line("1", "1.00"), line("1", "1.00")]}, {"lines": [line("1", "2.00", unknown=1)]},
        {"lines": [line("1", "2.00", discount="3.00")]}, {"customer_id": "ada@example.org"}, {"metadata": {"a": 1.5}},
        {"coupon_codes": ["a"] * 21}, {"total": "9" * 14}, {"unknown": 1}, {"occurred_at": "2027-01-01T00:00:00Z"},
    ],
)  # fmt: skip
async def test_a_quote_refuses_what_a_purchase_refuses(till: OpenTill, change: dict[str, Any]) -> None:
    shop = await till()
    body = shop.body("o", "2.00", lines=[line("1", "2.00")]) | change
    assert shop.refusal(PURCHASES, body)
    with pytest.raises(InvalidError) as refused:
        shop.read(PURCHASES, body)
    with pytest.raises(InvalidError) as quoted:
        await shop.quote(**body)
    assert quoted.value.faults == refused.value.faults


async def test_a_cancelled_order_that_is_bought_again_is_reinstated_once(till: OpenTill) -> None:
    shop = await till()
    await shop.purchase("o", "50.00")
    await shop.returned("o", "20.00")
    await shop.cancelled("o")
    assert (await shop.balance(), await shop.revenue()) == (0, (0, 0, 0))
    assert (await shop.purchase("o", "49.00")).reason == "order_differs"
    assert (await shop.purchase("o", "50.00", customer_id="c2")).reason == "order_differs"
    again = await shop.purchase("o", "50.00")
    assert (again.effect["kind"], again.moved) == ("points.restored", 30)
    assert (await shop.balance(), await shop.revenue()) == (30, (1, 5000, 2000))
    assert (await shop.returned("o", "10.00")).moved == 10
    await shop.cancelled("o")
    assert (await shop.purchase("o", "50.00")).reason == "order_already_counted"
    assert await shop.entries() == [
        ("earned", 50), ("clawed_back", -20), ("clawed_back", -30), ("restored", 30), ("clawed_back", -10),
        ("clawed_back", -20),
    ]  # fmt: skip


async def test_pending_points_that_come_back_can_be_spent_when_they_could(till: OpenTill) -> None:
    shop = await till(activation_delay_days=14)
    await shop.purchase("o", "50.00", occurred_at="2026-11-20T10:00:00+01:00")
    await shop.cancelled("o")
    await shop.purchase("o", "50.00")
    found = await shop.wallet()
    assert (found.posted, found.pending) == (0, 50)
    await shop.purchase("old", "20.00", occurred_at="2026-11-01T10:00:00+01:00")
    await shop.cancelled("old")
    await shop.purchase("old", "20.00")
    found = await shop.wallet()
    assert (found.posted, found.pending) == (20, 50)


async def test_a_guests_order_is_reinstated_too(till: OpenTill) -> None:
    shop = await till()
    for outcome in (
        await shop.purchase("o", "50.00", customer_id=None),
        await shop.cancelled("o", customer_id=None),
        await shop.purchase("o", "50.00", customer_id=None),
    ):
        assert outcome.reason is None
    assert await shop.revenue() == (1, 5000, 0)
