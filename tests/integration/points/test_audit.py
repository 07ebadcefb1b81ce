"""The auditor finds nothing in a sound ledger, and each kind of drift that is planted in it."""

import pytest

from services.points.adapters.audit import CHECKS
from tests.support.points import Books, Shop

PLANTED = {
    "entries_make_wallets": "UPDATE wallet SET posted = posted + 1 WHERE tenant = $1 AND customer_id = 'ada'",
    "entries_run_on": "UPDATE entry SET balance_after = balance_after + 1 WHERE tenant = $1 AND order_id = 'o-2'",
    "wallets_know_their_version": "UPDATE wallet SET version = 7 WHERE tenant = $1 AND customer_id = 'ada'",
    "lots_make_wallets": "UPDATE lot SET remaining = remaining - 1 WHERE tenant = $1 AND remaining > 0",
    "allocations_make_lots": "UPDATE lot SET amount = amount + 1 WHERE tenant = $1",
    "debits_are_allocated": "DELETE FROM allocation WHERE tenant = $1",
    "nothing_negative": "UPDATE wallet SET held = posted + 1 WHERE tenant = $1 AND customer_id = 'ada'",
    "orders_give_back_no_more": "UPDATE purchase_order SET clawed_points = points + 1 WHERE tenant = $1",
    "returns_make_orders": "DELETE FROM order_return WHERE tenant = $1",
    "orders_make_entries": "UPDATE purchase_order SET points = points + 1 WHERE tenant = $1 AND order_id = 'o-1'",
    "wallets_have_customers": "DELETE FROM customer WHERE tenant = $1 AND customer_id = 'bob'",
    "returns_wait_with_reason": "UPDATE waiting_return SET outcome = NULL, decided_at = NULL WHERE tenant = $1",
    "early_returns_are_kept": "DELETE FROM waiting_return WHERE tenant = $1",
}
# What only the second look of a check finds.
SUBTLE = {
    "another customer's order": (
        "orders_make_entries",
        "UPDATE purchase_order SET customer_id = 'bob' WHERE tenant = $1 AND order_id = 'o-1'",
    ),
    "a return that waits without an event": (
        "early_returns_are_kept",
        "DELETE FROM inbox WHERE tenant = $1 AND reason = 'waits_for_purchase'",
    ),
}
_CHECKS_OFF = (
    "ALTER TABLE wallet DROP CONSTRAINT ck_wallet_available",
    "ALTER TABLE purchase_order DROP CONSTRAINT ck_purchase_order_clawed",
)


async def sound(books: Books) -> Shop:
    """A shop with everything in its books: earnings, returns early and late, debt."""
    shop = Shop()
    await books.open(shop)
    await books.post(shop.bought("o-1", 5000), shop.bought("o-2", 3000), shop.bought("o-3", 700, customer="bob"))
    await books.post(shop.returned("o-4", 500, customer="bob"), shop.bought("o-5", 800, customer=None))
    await books.post(shop.returned("o-1", 1000), shop.bought("o-4", 900, customer="bob"), shop.cancelled("o-2"))
    assert await books.drift(shop) == {}
    return shop


def test_every_law_has_its_drift() -> None:
    assert {check.name for check in CHECKS} == set(PLANTED)


@pytest.mark.parametrize(("name", "plant"), [*PLANTED.items(), *SUBTLE.values()], ids=[*PLANTED, *SUBTLE])
async def test_planted_drift_is_found(books: Books, name: str, plant: str) -> None:
    shop, other = await sound(books), await sound(books)
    found = await books.drift_if(_CHECKS_OFF, plant, shop)
    assert name in found
    assert {row["tenant"] for row in found[name]} == {shop.tenant}
    assert await books.drift(other) == {}
    assert await books.drift(shop) == {}, "the plant was rolled back"
