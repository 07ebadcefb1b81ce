"""Bodies that work as they stand on the day on which they are shown: they tell of the day before."""

from datetime import datetime, timedelta
from typing import Any, Final

Body = dict[str, Any]
_LINES: Final = [
    {"line_id": "1", "sku": "tea-100", "category": "tea", "quantity": 2, "unit_price": "19.95"},
    {"line_id": "2", "sku": "cup-7", "quantity": 1, "unit_price": "12.00", "discount": "2.00"},
]
_PROFILE: Final[Body] = {
    "email": "ada@example.org",
    "name": "Ada Lovelace",
    "locale": "de-DE",
    "consents": [{"channel": "email", "purpose": "marketing", "granted": True}],
}
_UNDATED: Final[dict[tuple[str, str], Body]] = {
    ("put", "/v1/customers/{customer_id}"): _PROFILE,
    ("post", "/v1/customers/{customer_id}/consents"): {"channel": "email", "purpose": "marketing", "granted": False},
    ("post", "/v1/customers/batch"): {"customers": [{"customer_id": "c-4711"} | _PROFILE]},
    ("post", "/v1/customer-tokens"): {"customer_id": "c-4711"},
    ("post", "/v1/keys"): {"scopes": ["events:write"], "name": "till 7"},
    ("post", "/v1/tenants"): {"name": "teashop", "currency": "EUR", "time_zone": "Europe/Berlin"},
    ("put", "/v1/tenants/{tenant}/limit"): {"events_per_s": 5_000},
    ("put", "/v1/programme"): {"name": "Teashop Club", "points_per_unit": "1", "rounding": "floor"},
    ("post", "/v1/quotes"): {"customer_id": "c-4711", "total": "49.90", "currency": "EUR", "lines": _LINES},
}


def request_examples(now: datetime) -> dict[tuple[str, str], Body]:
    """By method and path. What names an event names its day too, so that those of another day are other events."""
    day = now - timedelta(days=1)
    events = _of_orders(day) | _of_customers(day)
    return {
        **{("post", f"/v1/{name}"): body for name, body in events.items()},
        **{("post", f"/v1/{name}/batch"): {name: [body]} for name, body in events.items()},
        **_UNDATED,
    }


def _of_orders(day: datetime) -> dict[str, Body]:
    return {
        "purchases": {
            "event_id": f"shop-{day:%y%m%d}-1001-paid",
            "order_id": f"{day:%y%m%d}-1001",
            "customer_id": "c-4711",
            "occurred_at": f"{day:%Y-%m-%d}T10:00:00+01:00",
            "currency": "EUR",
            "total": "49.90",
            "lines": _LINES,
            "channel": "web",
        },
        "returns": {
            "event_id": f"shop-{day:%y%m%d}-1001-return-1",
            "order_id": f"{day:%y%m%d}-1001",
            "customer_id": "c-4711",
            "occurred_at": f"{day:%Y-%m-%d}T18:30:00+01:00",
            "currency": "EUR",
            "total": "10.00",
            "lines": [{"line_id": "2", "quantity": 1, "amount": "10.00"}],
            "reason": "too small",
        },
        "cancellations": {
            "event_id": f"shop-{day:%y%m%d}-1002-cancelled",
            "order_id": f"{day:%y%m%d}-1002",
            "occurred_at": f"{day:%Y-%m-%d}T11:00:00+01:00",
            "reason": "paid twice",
        },
    }


def _of_customers(day: datetime) -> dict[str, Body]:
    return {
        "feedback": {
            "event_id": f"survey-{day:%y%m%d}-77",
            "customer_id": "c-4711",
            "kind": "nps",
            "score": 9,
            "comment": "Quick and friendly.",
            "occurred_at": f"{day:%Y-%m-%d}T18:00:00+01:00",
        },
        "activities": {
            "customer_id": "c-4711",
            "kind": "app_downloaded",
            "properties": {"platform": "ios"},
            "occurred_at": f"{day:%Y-%m-%d}T12:00:00+01:00",
        },
    }
