"""Each kind of drift, planted by hand, is found by the check that is there for it."""

import pytest

from tests.support.lanes import Log
from tests.support.metrics import Metrics, Shop

PLANTED = {
    "order_refunds": "UPDATE shop_order SET refunded_minor = refunded_minor - 1 WHERE tenant = $1 AND order_id = 'o1'",
    "refund_orders": "INSERT INTO refund SELECT tenant, 'nowhere', event_id, customer, 1, occurred_at, business_date,"
    " false FROM refund WHERE tenant = $1",
    "customer_days": "UPDATE customer_day SET gross_minor = gross_minor + 1 WHERE tenant = $1",
    "day_totals": "UPDATE day_total SET orders = orders + 1 WHERE tenant = $1 AND NOT guest",
    "customer_states": "UPDATE customer_state SET second_day = NULL WHERE tenant = $1",
    "inbox_rows": "UPDATE shop_order SET event_id = gen_random_uuid() WHERE tenant = $1",
}


@pytest.mark.parametrize("check", PLANTED)
async def test_planted_drift_is_found(metrics: Metrics, check: str) -> None:
    shop = Shop()
    await metrics.apply([shop.programme()])
    events = [shop.bought("o1"), shop.bought("o2"), shop.bought("o3", customer=None), shop.returned("o1", 4_000)]
    await Log(metrics).consume(0, events, 10)
    assert not await metrics.drift(shop.tenant)

    async with metrics.tx() as tx:
        await tx.raw.execute(PLANTED[check], shop.tenant)
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
