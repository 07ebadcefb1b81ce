"""What the shops of the benchmarks sell: purchases of three lines, as events in Kafka and as HTTP bodies."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.clock import SystemClock
from shared.events.envelope import Record, Stamp
from shared.events.purchases import PurchaseCompleted, PurchaseLine
from shared.ids import new_id, new_id_text
from shared.messaging.producer import Producer

TENANT = "t-bench"
CUSTOMERS = 10_000
_CHUNK = 2_000
_HISTORY = timedelta(days=180)
_PRICES = ((1, 1990), (2, 450), (1, 2550))
_TOTAL = sum(quantity * price for quantity, price in _PRICES)


def customer(number: int) -> str:
    return f"customer-{number:07d}"


def records(count: int, customers: int, prefix: str) -> Iterator[Record]:
    """As the gateway writes them: `count` purchases of so many customers in turn, over half a year, ids growing."""
    now = SystemClock().now()
    stamp = Stamp(TENANT, "treue/gateway", 1, now, new_id_text(), f"00-{new_id().hex}-0123456789abcdef-01")
    lines = tuple(
        PurchaseLine(line_id=str(at), sku=f"sku-{at}", quantity=quantity, unit_price_minor=price, category="home")
        for at, (quantity, price) in enumerate(_PRICES, 1)
    )
    for number in range(count):
        event = PurchaseCompleted(
            occurred_at=now - _HISTORY * (1 - number / count), order_id=f"{prefix}-{number:08d}",
            customer_id=customer(number * 7919 % customers), currency="EUR", total_minor=_TOTAL, lines=lines,
            channel="shop",
        )  # fmt: skip
        yield stamp.record(event, new_id_text())


async def fill_topic(bootstrap: str, count: int, customers: int, prefix: str) -> None:
    """Write so many purchases into the topic."""
    producer = Producer(bootstrap, client_id="bench", in_flight_max=100_000)
    await producer.start()
    while not producer.ready:  # noqa: ASYNC110 - it tells by no event
        await asyncio.sleep(0.05)
    waiting: list[Record] = []
    try:
        for each in records(count, customers, prefix):
            waiting.append(each)
            if len(waiting) == _CHUNK:
                await producer.send(waiting, deadline_s=30)
                waiting = []
        if waiting:
            await producer.send(waiting, deadline_s=30)
    finally:
        await producer.stop()


def purchase(order_id: str, customer_id: str) -> dict[str, Any]:
    """The same as a shop posts it."""
    lines = [
        {"line_id": str(at), "sku": f"sku-{at}", "quantity": quantity, "unit_price": f"{price / 100:.2f}",
         "category": "home"}
        for at, (quantity, price) in enumerate(_PRICES, 1)
    ]  # fmt: skip
    return {
        "order_id": order_id, "customer_id": customer_id, "occurred_at": _instant(), "currency": "EUR",
        "total": f"{_TOTAL / 100:.2f}", "lines": lines, "channel": "shop",
    }  # fmt: skip


def body(order_id: str, customer_id: str) -> bytes:
    return msgspec.json.encode(purchase(order_id, customer_id))


def batch(size: int, mark: str, customers: int, first: int = 0) -> bytes:
    """A batch; `mark` stands in each order id, for whoever makes it unique."""
    given = [purchase(f"{mark}-{number}", customer((first + number * 7919) % customers)) for number in range(size)]
    return msgspec.json.encode({"purchases": given})


def _instant() -> str:
    return (datetime.fromtimestamp(SystemClock().now().timestamp() - 60, UTC)).isoformat()
