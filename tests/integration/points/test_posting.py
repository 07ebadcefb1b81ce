"""Events become ledger rows, on the real database."""

import pytest

from services.points.domain.award import AWARD_MAX, EARNED_MAX, LARGE_AWARD
from services.points.domain.programme import ReturnPolicy
from tests.support.points import LATER, Books, Shop


async def test_a_purchase_earns_once(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    effects = await books.post(shop.bought("o-1"), shop.bought("o-1"))
    await books.post(shop.bought("o-1"))
    (entry,) = await books.entries(shop)
    assert (entry["kind"], entry["points"], entry["balance_after"], entry["order_id"]) == ("earned", 49, 49, "o-1")
    (shown,) = effects.of(shop.id("buy o-1")).effects
    assert shown == {"kind": "points.earned", "points": 49, "entry_id": str(entry["id"]), "customer_id": "ada"}
    assert (await books.balance(shop)).posted == 49
    assert await books.drift(shop) == {}


async def test_the_same_order_under_another_event_id_is_rejected(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    first, again, third = await books.post_each(
        shop.bought("o-1"), shop.bought("o-1", name="again"), shop.bought("o-1", name="third")
    )
    assert (first.status, again.status, again.reason) == ("applied", "rejected", "order_already_counted")
    assert third.reason == "order_already_counted"
    assert (await books.balance(shop)).posted == 49
    same_batch = await books.post(shop.bought("o-2"), shop.bought("o-2", name="o-2 again"))
    assert same_batch.of(shop.id("o-2 again")).reason == "order_already_counted"


async def test_returns_add_up_and_too_much_is_rejected_without_effect(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1", 9999))
    left = []
    for number, amount in enumerate((3333, 3333, 3335, 3333)):
        outcome = (await books.post(shop.returned("o-1", amount, name=f"r-{number}"))).of(shop.id(f"r-{number}"))
        left.append((outcome.status, outcome.reason, (await books.balance(shop)).posted))
    rejected = ("rejected", "return_exceeds_purchase")
    assert left == [("applied", None, 66), ("applied", None, 33), (*rejected, 33), ("applied", None, 0)]
    assert await books.drift(shop) == {}


async def test_a_return_before_its_purchase_waits_for_it(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.returned("o-1", 3000))
    await books.post(shop.returned("o-1", 6000, name="too much", at=LATER))
    assert await books.entries(shop) == []
    await books.post(shop.bought("o-1", 8000))
    assert (await books.balance(shop)).posted == 50
    decided = await books.fetch("SELECT * FROM waiting_return WHERE tenant = $1 ORDER BY outcome", shop.tenant)
    assert [(row["outcome"], row["reason"]) for row in decided] == [
        ("applied", None),
        ("rejected", "return_exceeds_purchase"),
    ]
    assert decided[0]["effects"][0]["points"] == 30
    assert await books.drift(shop) == {}


async def test_a_return_without_customer_and_its_purchase_in_one_batch_in_any_order(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    effects = await books.post(shop.returned("o-1", 3000, customer=None), shop.bought("o-1", 8000))
    assert effects.of(shop.id("return o-1 3000")).effects[0]["points"] == 30
    assert (await books.balance(shop)).posted == 50
    assert await books.fetch("SELECT * FROM waiting_return WHERE tenant = $1", shop.tenant) == []


async def test_what_cannot_be_taken_back_is_owed_and_paid_by_the_next_points(books: Books) -> None:
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1", 5000), shop.bought("o-2", 3000))
    for order, left in (("o-1", 0), ("o-2", 20)):  # 60 of 80 points are spent elsewhere
        lot = shop.id(f"buy {order}")
        await books.tamper("UPDATE lot SET remaining = $1 WHERE tenant = $2 AND id = $3", left, shop.tenant, lot)
    await books.tamper("UPDATE wallet SET posted = 20 WHERE tenant = $1", shop.tenant)
    await books.post(shop.cancelled("o-1"))
    balance = await books.balance(shop)
    assert (balance.posted, balance.debt) == (0, 30)
    await books.post(shop.bought("o-3", 1000))
    await books.post(shop.bought("o-4", 2500))
    balance = await books.balance(shop)
    assert (balance.posted, balance.debt) == (5, 0)
    kinds = [(entry["kind"], entry["points"], entry["debt"]) for entry in await books.entries(shop)]
    assert kinds == [
        ("earned", 50, 0), ("earned", 30, 0), ("clawed_back", -20, 30), ("earned", 10, 0), ("debt_paid", -10, -10),
        ("earned", 25, 0), ("debt_paid", -20, -20),
    ]  # fmt: skip


async def test_a_return_of_lines_that_nobody_bought_takes_its_share_of_the_money_and_says_so(books: Books) -> None:
    shop = Shop()
    await books.open(shop, return_policy=ReturnPolicy.ITEM)
    await books.post(shop.bought("o-1", 1000, lines=[("a", 1, 700), ("b", 1, 300)]))
    outcome, again = await books.post_each(
        shop.returned("o-1", 400, lines=[("z", 1)]), shop.returned("o-1", 100, lines=[("a", 9)])
    )
    assert (outcome.status, outcome.reason) == (again.status, again.reason) == ("applied", None)
    assert (outcome.effects[0]["points"], outcome.effects[0]["without_usable_lines"]) == (4, "4.00")
    assert (await books.entries(shop))[1]["detail"]["without_usable_lines"] == "4.00"
    assert (await books.balance(shop)).posted == 5
    assert await books.drift(shop) == {}


@pytest.mark.parametrize(
    ("policy", "kept"), [(ReturnPolicy.RECOMPUTE, 7), (ReturnPolicy.PRO_RATA, 8), (ReturnPolicy.ITEM, 6)]
)
async def test_each_policy_takes_back_by_its_own_rule(books: Books, policy: ReturnPolicy, kept: int) -> None:
    """10.50 gives 10 points, 7 of them for the first line. Back come 2.60 for one of its two pieces."""
    shop = Shop()
    await books.open(shop, return_policy=policy)
    await books.post(shop.bought("o-1", 1050, lines=[("a", 2, 350), ("b", 1, 350)]))
    await books.post(shop.returned("o-1", 260, lines=[("a", 1)]))
    assert (await books.balance(shop)).posted == kept
    await books.post(shop.cancelled("o-1"))
    assert (await books.balance(shop)).posted == 0
    assert await books.drift(shop) == {}


async def test_points_beyond_the_limits_are_refused_and_no_sum_overflows(books: Books) -> None:
    shop = Shop(currency="JPY")
    await books.open(shop, points_per_unit=1000)
    (beyond,) = await books.post_each(shop.bought("beyond", 10**15))
    assert (beyond.status, beyond.reason) == ("rejected", "points_beyond_limit")
    await books.post(*(shop.bought(f"o-{number}", AWARD_MAX // 1000) for number in range(999)))
    last, over, small = await books.post_each(
        shop.bought("last", AWARD_MAX // 1000), shop.bought("over", LARGE_AWARD // 1000 + 1), shop.bought("small", 1)
    )
    assert (last.status, over.reason, small.status) == ("applied", "points_beyond_limit", "applied")
    assert (await books.balance(shop)).posted == EARNED_MAX + 1000
    await books.post(shop.cancelled("last"), shop.cancelled("beyond"))
    assert (await books.balance(shop)).posted == EARNED_MAX + 1000 - AWARD_MAX
    assert await books.drift(shop) == {}
