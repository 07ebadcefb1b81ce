"""Bodies that are fine, and what can be wrong with them."""

from datetime import UTC, datetime
from typing import Any

from services.gateway.ingest.kinds import (
    ACTIVITIES,
    CANCELLATIONS,
    CUSTOMERS,
    FEEDBACK,
    PURCHASES,
    QUOTES,
    RETURNS,
    Kind,
)
from services.gateway.ingest.reception import Reception
from services.gateway.tenants.tenant import Tenant
from shared.auth.principal import Principal

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TENANT = Tenant("demo", "EUR", "Europe/Berlin", "de-DE", 3)
MISSING = object()


def reception(currency: str = "EUR", customer: str | None = None) -> Reception:
    tenant = Tenant("demo", currency, "Europe/Berlin", "de-DE", 3)
    return Reception.at(tenant, Principal("demo", frozenset(), customer), NOW, future_max_s=300)


GOOD: dict[str, tuple[Kind, dict[str, Any]]] = {
    "purchase": (
        PURCHASES,
        {
            "event_id": "e-1",
            "order_id": "o-1",
            "customer_id": "c-1",
            "occurred_at": "2026-11-01T10:00:00+01:00",
            "currency": "EUR",
            "total": "49.90",
            "lines": [
                {"line_id": "1", "sku": "tea", "quantity": 2, "unit_price": "19.95", "category": "tea", "brand": "b"},
                {"line_id": "2", "sku": "cup", "quantity": 1, "unit_price": "12.00", "discount": "2.00"},
            ],
            "channel": "web",
            "brand": "own",
            "coupon_codes": ["A", "B"],
            "referral_code": "r",
            "redemption_id": "red",
            "metadata": {"a": 1, "b": "x", "c": True, "d": None},
        },
    ),
    "guest": (
        PURCHASES,
        {
            "order_id": "o-1",
            "occurred_at": "2026-11-01T10:00:00Z",
            "currency": "EUR",
            "total": "0",
            "lines": [{"line_id": "1", "sku": "s", "quantity": 1, "unit_price": "0.00"}],
        },
    ),
    "unusual": (
        PURCHASES,
        {
            "order_id": "R 2026:11/1",
            "occurred_at": "2026-11-01T10:00:00Z",
            "currency": "EUR",
            "total": "20.0000",
            "lines": [
                {"line_id": "1", "sku": "cheese", "quantity": "0.450", "unit_price": "19.90", "tax": "0.59"},
                {"line_id": "2", "sku": "cup", "quantity": 3, "unit_price": "5.00", "discount": "1.00"},
                {"line_id": "3", "sku": "cup", "quantity": 1, "unit_price": "-1.00", "tax": "-0.16"},
            ],
        },
    ),
    "receipt": (
        PURCHASES,
        {"order_id": "o-1", "occurred_at": "2026-11-01T10:00:00Z", "currency": "EUR", "total": "20.00"},
    ),
    "quote": (
        QUOTES,
        {
            "customer_id": "c-1",
            "currency": "EUR",
            "total": "19.00",
            "lines": [{"line_id": "1", "sku": "s", "quantity": "2", "unit_price": "10.00"}],
            "occurred_at": "2026-11-01T10:00:00Z",
            "order_id": "o-1",
        },
    ),
    "return": (
        RETURNS,
        {
            "order_id": "o-1",
            "customer_id": "c-1",
            "occurred_at": "2026-11-01T10:00:00Z",
            "currency": "EUR",
            "total": "3.00",
            "lines": [{"line_id": "1", "quantity": 1, "amount": "3.00"}],
            "reason": "too small",
        },
    ),
    "cancellation": (CANCELLATIONS, {"order_id": "o-1", "occurred_at": "2026-11-01T10:00:00Z", "reason": "twice"}),
    "feedback": (
        FEEDBACK,
        {
            "customer_id": "c-1",
            "kind": "nps",
            "score": 9,
            "comment": "gut",
            "order_id": "o-1",
            "occurred_at": "2026-11-01T10:00:00Z",
            "publish_consent": True,
        },
    ),
    "activity": (
        ACTIVITIES,
        {
            "customer_id": "c-1",
            "kind": "app_downloaded",
            "properties": {"os": "ios"},
            "occurred_at": "2026-11-01T10:00:00Z",
        },
    ),
    "customer": (
        CUSTOMERS,
        {
            "customer_id": "c-1",
            "email": "ada@example.org",
            "name": "Ada Lovelace",
            "phone": "+49 (30) 123-4567",
            "birthday": "1990-12-31",
            "locale": "de-DE",
            "time_zone": "Europe/Berlin",
            "kind": "business",
            "consents": [
                {"channel": "email", "purpose": "service", "granted": True},
                {"channel": "email", "purpose": "marketing", "granted": False},
            ],
            "occurred_at": "2026-11-01T10:00:00Z",
        },
    ),
}

# Values to put anywhere: right for some fields, wrong for most.
VALUES: list[Any] = [
    MISSING,
    None,
    "",
    " ",
    " a",
    "a ",
    "a b",
    "a:b",
    "a\tb",
    "a\x7fb",
    "a\u2028b",
    "ü",
    "me",
    "ada@example.org",
    "x" * 128,
    "x" * 129,
    "x" * 501,
    "x" * 5001,
    0,
    1,
    -1,
    5,
    10,
    11,
    2**31,
    10**18,
    1.0,
    0.5,
    True,
    False,
    [],
    {},
    [1],
    ["a"],
    {"a": 1},
    {"a": 0.5},
    {"a": {"b": 1}},
    {"": 1},
    {" a": 1},
    {"k" * 65: 1},
    {str(n): n for n in range(51)},
    ["a"] * 21,
    "EUR",
    "USD",
    "EURO",
    "eur",
    "XAU",
    "XTS",
    "10",
    "10.0",
    "10.00",
    "10.001",
    "49.90",
    "49.9",
    "-1.00",
    "-0.16",
    "0.450",
    "1.0000",
    "1.0005",
    "1.0000000",
    "100000",
    "100000.001",
    "0",
    "0.000",
    "-0.00",
    "+1.00",
    "007",
    ".5",
    "5.",
    "1e3",
    "1_000",
    "1,00",
    "Infinity",
    "NaN",
    "9" * 13,
    "9" * 16,
    "9" * 40,
    "\u0663.00",
    "1.\u0663",
    "2026-11-22T12:05:00Z",
    "2026-11-22T12:05:01Z",
    "2031-01-01T00:00:00Z",
    "1990-01-01T00:00:00Z",
    "1989-12-31T23:59:59Z",
    "1990-01-01T00:00:00+01:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-01T10:00:00",
    "2026-02-30T10:00:00Z",
    "2026-11-01",
    "2026-11-01 10:00:00Z",
    "now",
    1_700_000_000,
    "nps",
    "csat",
    "ces",
    "review",
    "love",
    "app_downloaded",
    "App",
    "consumer",
    "business",
    "other",
    "1990-12-31",
    "1990-02-31",
    "2026-11-22",
    "2026-11-21",
    "1899-12-31",
    "31.12.1990",
    "20261101",
    "de",
    "de_DE",
    "xx-YY",
    "klingon??",
    "Europe/Berlin",
    "Mars/Olympus",
    "../../etc/passwd",
    "+49 30 123456",
    "030 123456",
    "+0 123456789",
    "a@b\r\nBcc: x@y.z",
    "no address",
    "Ada@Example.ORG",
    "ä@exämple.org",
]


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where something can be changed: every member and every item, and one key that nobody knows."""
    found: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += [(*path, key), *places(inner, (*path, key))]
        found.append((*path, "unknown"))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += [(*path, index), *places(inner, (*path, index))]
    return found


def changed(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The body with another value in one place."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(body, dict):
        whole = dict(body)
        inner = changed(body.get(str(first)), rest, value) if rest else value
        if inner is MISSING:
            whole.pop(str(first), None)
        else:
            whole[str(first)] = inner
        return whole
    items = list(body)
    index = int(first)
    if rest or value is not MISSING:
        items[index] = changed(items[index], rest, value)
    else:
        del items[index]
    return items
