"""The auditor finds nothing in a sound ledger, and each kind of drift that is planted in it."""

from decimal import Decimal

import pytest

from services.points.adapters.audit import CHECKS
from services.points.domain.programme import ReturnPolicy, Rounding
from tests.support.points import LATER, NOON, Books, Shop

PLANTED = {
    "entries_make_wallets": "UPDATE wallet SET posted = posted + 1 WHERE tenant = $1 AND customer_id = 'ada'",
    "entries_run_on": "UPDATE entry SET balance_after = balance_after + 1 WHERE tenant = $1 AND order_id = 'o-2'",
    "wallets_know_their_version": "UPDATE wallet SET version = 7 WHERE tenant = $1 AND customer_id = 'ada'",
    "lots_make_wallets": "UPDATE lot SET remaining = remaining - 1 WHERE tenant = $1 AND remaining > 0",
    "pending_lots_come_due": "UPDATE wallet SET next_activation_at = NULL WHERE tenant = $1 AND pending > 0",
    "allocations_make_lots": "UPDATE lot SET amount = amount + 1 WHERE tenant = $1",
    "debits_are_allocated": "DELETE FROM allocation WHERE tenant = $1",
    "nothing_negative": "UPDATE wallet SET held = posted + 1 WHERE tenant = $1 AND customer_id = 'ada'",
    "orders_give_back_no_more": "UPDATE purchase_order SET clawed_points = points + 1 WHERE tenant = $1",
    "returns_make_orders": "DELETE FROM order_return WHERE tenant = $1",
    "orders_make_entries": "UPDATE purchase_order SET points = points + 1 WHERE tenant = $1 AND order_id = 'o-1'",
    "erased_ids_are_nobodys": "DELETE FROM customer WHERE tenant = $1 AND left(customer_id, 1) = '#'",
    "wallets_have_customers": "DELETE FROM customer WHERE tenant = $1 AND customer_id = 'bob'",
    "returns_wait_with_reason": "UPDATE waiting_return SET outcome = NULL, decided_at = NULL WHERE tenant = $1",
    "early_returns_are_kept": "DELETE FROM waiting_return WHERE tenant = $1",
    "awards_follow_the_rule": "UPDATE purchase_order SET rounding = 'ceil' WHERE tenant = $1",
    "returns_follow_the_rule": "UPDATE purchase_order SET clawed_points = clawed_points - 1"
    " WHERE tenant = $1 AND order_id = 'o-1'",
}
# Where all other books say the same, one check finds it.
CONSISTENT = {
    "another customer's order": (
        "orders_make_entries",
        "UPDATE purchase_order SET customer_id = 'bob' WHERE tenant = $1 AND order_id = 'o-1'",
    ),
    "a return that waits without an event": (
        "early_returns_are_kept",
        "DELETE FROM inbox WHERE tenant = $1 AND reason = 'waits_for_purchase'",
    ),
    "a point too many wherever it stands": (
        "awards_follow_the_rule",
        """
        WITH e AS (UPDATE entry SET points = points + (order_id = 'o-3')::int, balance_after = balance_after + 1
            WHERE tenant = $1 AND customer_id = 'bob'),
        l AS (UPDATE lot SET amount = amount + 1, remaining = remaining + 1 FROM purchase_order o
            WHERE lot.tenant = $1 AND o.tenant = $1 AND o.order_id = 'o-3' AND o.event_id = lot.id),
        w AS (UPDATE wallet SET posted = posted + 1, lifetime_earned = lifetime_earned + 1
            WHERE tenant = $1 AND customer_id = 'bob')
        UPDATE purchase_order SET points = points + 1 WHERE tenant = $1 AND order_id = 'o-3'
        """,
    ),
    "a point too few taken back wherever it stands": (
        "returns_follow_the_rule",
        """
        WITH e AS (UPDATE entry SET points = points + 1, balance_after = balance_after + 1
            WHERE tenant = $1 AND customer_id = 'bob' AND kind = 'clawed_back' RETURNING id),
        a AS (UPDATE allocation SET points = points - 1 FROM e WHERE tenant = $1 AND entry_id = e.id RETURNING lot_id),
        l AS (UPDATE lot SET remaining = remaining + 1 FROM a WHERE tenant = $1 AND id = a.lot_id),
        w AS (UPDATE wallet SET posted = posted + 1, lifetime_earned = lifetime_earned + 1
            WHERE tenant = $1 AND customer_id = 'bob'),
        r AS (UPDATE order_return SET points = points - 1 WHERE tenant = $1 AND order_id = 'o-4')
        UPDATE purchase_order SET clawed_points = clawed_points - 1 WHERE tenant = $1 AND order_id = 'o-4'
        """,
    ),
    "points that become spendable too late": (
        "pending_lots_come_due",
        "UPDATE wallet SET next_activation_at = next_activation_at + interval '1 s' WHERE tenant = $1 AND pending > 0",
    ),
    "a rule that was never published": (
        "awards_follow_the_rule",
        "UPDATE purchase_order SET return_policy = 'pro_rata' WHERE tenant = $1 AND order_id = 'o-3'",
    ),
}
_CHECKS_OFF = (
    "ALTER TABLE wallet DROP CONSTRAINT ck_wallet_available",
    "ALTER TABLE purchase_order DROP CONSTRAINT ck_purchase_order_clawed",
)


async def sound(books: Books) -> Shop:
    """A shop with everything in its books: earnings, returns early and late, debt, points that cannot be spent yet."""
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1", 5000), shop.bought("o-2", 3000), shop.bought("o-3", 700, customer="bob"))
    await books.post(shop.returned("o-4", 500, customer="bob"), shop.bought("o-5", 800, customer=None))
    await books.post(shop.returned("o-1", 1000), shop.bought("o-4", 900, customer="bob"), shop.cancelled("o-2"))
    await books.open(shop, activation_delay_days=14, effective_from=NOON)
    await books.post(shop.bought("o-6", 2000, "eve", stamp=2), shop.bought("o-7", 900, "eve", at=LATER, stamp=2))
    await books.post(shop.returned("o-6", 100, "eve"))
    await books.post(shop.bought("o-8", 300, "gone"), shop.erasure("gone"))
    assert await books.drift(shop) == {}
    return shop


def test_every_law_has_its_drift() -> None:
    assert {check.name for check in CHECKS} == set(PLANTED)


@pytest.mark.parametrize("name", PLANTED)
async def test_planted_drift_is_found(books: Books, name: str) -> None:
    shop, other = await sound(books), await sound(books)
    found = await books.drift_if(_CHECKS_OFF, PLANTED[name], shop)
    assert name in found
    assert {row["tenant"] for row in found[name]} == {shop.tenant}
    assert await books.drift(other) == {}
    assert await books.drift(shop) == {}, "the plant was rolled back"


@pytest.mark.parametrize("what", CONSISTENT)
async def test_drift_that_is_consistent_is_found(books: Books, what: str) -> None:
    name, plant = CONSISTENT[what]
    found = await books.drift_if((), plant, await sound(books))
    assert found.keys() == {name}


@pytest.mark.parametrize("policy", ReturnPolicy)
@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
async def test_no_rule_is_drift(books: Books, currency: str, rounding: Rounding, policy: ReturnPolicy) -> None:
    """Parts of points, in money of all kinds."""
    shop = Shop(currency)
    await books.open(shop, points_per_unit=Decimal("0.35"), rounding=rounding, return_policy=policy)
    lines = (("a", 3, 1_700), ("b", 7, 490))
    await books.post(*(shop.bought(f"o-{total}", total, lines=lines) for total in (0, 1, 10, 4_990, 7_001, 8_530)))
    await books.post(
        shop.returned("o-10", 3), shop.returned("o-4990", 1_234, lines=[("a", 1)]), shop.cancelled("o-7001"),
        shop.returned("o-8530", 490, lines=[("b", 2), ("c", 1)]), shop.returned("o-8530", 33, customer=None),
    )  # fmt: skip
    await books.post(shop.bought("o-guest", 5_030, None), shop.returned("o-guest", 70, None))
    assert await books.drift(shop) == {}


async def test_an_award_beyond_limits_is_no_drift(books: Books) -> None:
    shop = Shop()
    await books.open(shop, points_per_unit=Decimal(1000))
    refused = await books.post_each(shop.bought("o-1", 10**12), shop.bought("o-2", 10**12, None))
    assert {each.reason for each in refused} == {"points_beyond_limit"}
    await books.post(shop.returned("o-1", 7), shop.cancelled("o-2", None))
    assert await books.drift(shop) == {}
    found = await books.drift_if((), "DELETE FROM inbox WHERE tenant = $1 AND outcome = 'rejected'", shop)
    assert found.keys() == {"awards_follow_the_rule"}
