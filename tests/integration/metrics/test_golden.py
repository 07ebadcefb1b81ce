"""Figures of a real log against published ones: CDNOW (docs/decisions tell the definitions)."""

import asyncio
import gzip
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zlib import crc32

import pytest

from deploy.demo.cdnow import read_sample
from services.metrics.adapters import queries
from services.metrics.domain.figures import OrderValue, PurchaseFrequency, RepeatPurchase
from shared.messaging.incoming import Incoming
from tests.support.lanes import Log
from tests.support.metrics import Metrics, Shop

MASTER = Path(__file__).parent / "data" / "cdnow_master.txt.gz"
LIFETIME = ("1997-01-01", "1998-07-01")
Q2_1998 = ("1998-04-01", "1998-07-01")


def master(shop: Shop) -> Iterator[Incoming]:
    with gzip.open(MASTER, "rt") as lines:
        next(lines)
        for number, line in enumerate(lines):
            customer, day, _, dollars = line.split()
            at = datetime.strptime(day + "18+0000", "%Y%m%d%H%z")
            yield shop.bought(f"o-{number}", int(Decimal(dollars) * 100), customer, at, part=number % 6)


@pytest.fixture(scope="module")
async def cdnow(metrics: Metrics) -> Shop:
    shop = Shop(currency="USD", time_zone="America/New_York")
    await metrics.apply([shop.programme()])
    events = list(master(shop))
    for start in range(0, len(events), 2000):
        await metrics.apply(events[start : start + 2000])
    return shop


async def test_lifetime_figures(metrics: Metrics, cdnow: Shop) -> None:
    repeat: RepeatPurchase = await metrics.figure(queries.repeat_purchase, cdnow, *LIFETIME)
    frequency: PurchaseFrequency = await metrics.figure(queries.purchase_frequency, cdnow, *LIFETIME)
    value: OrderValue = await metrics.figure(queries.order_value, cdnow, *LIFETIME)

    assert (repeat.customers, repeat.repeat_customers, round(repeat.rate or 0, 6)) == (23_570, 11_662, 0.494782)
    assert (frequency.orders, round(frequency.frequency or 0, 6)) == (69_659, 2.955409)
    assert (value.orders, value.revenue_minor) == (69_659, 250_031_563)
    assert round((value.average_minor or 0) / 100, 4) == Decimal("35.8936")
    # AOV x frequency is the revenue of a customer.
    assert round(Decimal(value.revenue_minor) / frequency.customers / 100, 4) == Decimal("106.0804")


async def test_figures_of_a_quarter(metrics: Metrics, cdnow: Shop) -> None:
    repeat: RepeatPurchase = await metrics.figure(queries.repeat_purchase, cdnow, *Q2_1998)
    frequency: PurchaseFrequency = await metrics.figure(queries.purchase_frequency, cdnow, *Q2_1998)

    assert (frequency.orders, frequency.customers) == (5_906, 3_317)
    assert round(repeat.rate or 0, 6) == 0.369913


async def test_customers_first_and_second_days(metrics: Metrics, cdnow: Shop) -> None:
    cohorts = await metrics.fetch(
        "SELECT date_trunc('month', first_day)::date, count(*) FROM customer_state WHERE tenant = $1 GROUP BY 1",
        cdnow.tenant,
    )
    within_90_days = await metrics.fetch(
        "SELECT avg((second_day - first_day < 90)::int) FILTER (WHERE second_day IS NOT NULL) * count(second_day)"
        " / count(*) FROM customer_state WHERE tenant = $1",
        cdnow.tenant,
    )
    assert dict(cohorts)[datetime(1997, 1, 1, tzinfo=UTC).date()] == 7_846
    assert round(within_90_days[0][0], 3) == Decimal("0.299")


async def test_the_tables_agree_with_each_other(metrics: Metrics, cdnow: Shop) -> None:
    assert not await metrics.drift(cdnow.tenant)


async def test_the_sample_shuffled_and_repeated_in_two_consumers(metrics: Metrics) -> None:
    shop = Shop(currency="USD", time_zone="America/New_York")
    await metrics.apply([shop.programme()])
    lines = read_sample()
    events = [shop.bought(line.order_id, line.total_minor, line.customer_id, line.occurred_at) for line in lines]
    dice = random.Random(1997)
    sent = [*events, *dice.sample(events, 700)]
    dice.shuffle(sent)
    parts: dict[int, list[Incoming]] = defaultdict(list)
    for event in sent:
        parts[crc32(event.key.encode()) % 2].append(event)
    log = Log(metrics)
    await asyncio.gather(*(log.consume(part, events, 500) for part, events in parts.items()))

    orders = Counter(line.customer_id for line in lines)
    repeat = await metrics.figure(queries.repeat_purchase, shop, *LIFETIME)
    value = await metrics.figure(queries.order_value, shop, *LIFETIME)
    days = await metrics.fetch("SELECT count(*), sum(orders) FROM customer_day WHERE tenant = $1", shop.tenant)
    assert repeat == RepeatPurchase(2_357, sum(n > 1 for n in orders.values()))
    assert value == OrderValue(6_919, 0, sum(line.total_minor for line in lines), 0)
    assert days == [(6_696, 6_919)]
    assert not await metrics.drift(shop.tenant)
