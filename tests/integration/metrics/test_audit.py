"""Each kind of drift, planted by hand, is found by the check that is there for it."""

import pytest

from services.metrics.adapters.audit import CHECKS
from tests.support.lanes import Log
from tests.support.metrics import Metrics, Shop

PLANTED = {
    "money that came back": (
        "order_refunds",
        "UPDATE shop_order SET refunded_minor = refunded_minor - 1 WHERE tenant = $1 AND order_id = 'o1'",
    ),
    "a refund of no order": (
        "refund_orders",
        "INSERT INTO refund SELECT tenant, 'nowhere', event_id, customer, 1, occurred_at, business_date, false"
        " FROM refund WHERE tenant = $1",
    ),
    "a customer's day": ("customer_days", "UPDATE customer_day SET gross_minor = gross_minor + 1 WHERE tenant = $1"),
    "a tenant's day": ("day_totals", "UPDATE day_total SET orders = orders + 1 WHERE tenant = $1 AND NOT guest"),
    "a customer's state": ("customer_states", "UPDATE customer_state SET second_day = NULL WHERE tenant = $1"),
    "an order of another event": ("inbox_rows", "UPDATE shop_order SET event_id = gen_random_uuid() WHERE tenant = $1"),
    "another score": ("answers", "UPDATE feedback SET score = 10 WHERE tenant = $1 AND score = 3"),
    "an answer to another question": ("answers", "UPDATE feedback SET kind = 'csat' WHERE tenant = $1 AND score = 3"),
    "an answer that is gone": ("answers", "DELETE FROM feedback WHERE tenant = $1"),
    "a body that is kept of somebody erased": (
        "erased_ids",
        "INSERT INTO customer_record VALUES ($1, 'gone', now(), gen_random_uuid(), 'feedback.submitted', '{}')",
    ),
    "an answer without an event": (
        "answers",
        "INSERT INTO feedback SELECT tenant, gen_random_uuid(), customer, kind, score, occurred_at, business_date"
        " FROM feedback WHERE tenant = $1",
    ),
}


def test_every_check_is_tried() -> None:
    assert {check.name for check in CHECKS} == {check for check, _ in PLANTED.values()}


@pytest.mark.parametrize("what", PLANTED)
async def test_planted_drift_is_found(metrics: Metrics, what: str) -> None:
    check, plant = PLANTED[what]
    shop = Shop()
    await metrics.apply([shop.programme()])
    events = [shop.bought("o1"), shop.bought("o2"), shop.bought("o3", customer=None), shop.returned("o1", 4_000)]
    answers = [shop.answered("a1", 9), shop.answered("a2", 3), shop.answered("a3", 11)]
    await Log(metrics).consume(0, [*events, *answers], 10)
    await metrics.apply([shop.erasure("gone")])
    assert not await metrics.drift(shop.tenant)

    await metrics.tamper(plant, shop.tenant)
    found = await metrics.drift(shop.tenant)
    assert check in found
    assert all(row[0] == shop.tenant for rows in found.values() for row in rows)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM refund",
        "UPDATE refund SET amount_minor = 0",
        "UPDATE feedback SET score = 10",
        "DELETE FROM shop_order",
        "DELETE FROM inbox",
    ],
)
async def test_history_is_append_only(metrics: Metrics, statement: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with metrics.tx() as tx:
            await tx.raw.execute(statement)
