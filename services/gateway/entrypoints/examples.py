"""Bodies that work as they stand on the day on which they are shown: they tell of the day before."""

from datetime import datetime, timedelta
from typing import Any


def request_examples(now: datetime) -> dict[tuple[str, str], Any]:
    """By method and path. What names an event names its day too, so that those of another day are other events."""
    day = now - timedelta(days=1)
    purchase = {
        "event_id": f"shop-{day:%y%m%d}-1001-paid",
        "order_id": f"{day:%y%m%d}-1001",
        "customer_id": "c-4711",
        "occurred_at": f"{day:%Y-%m-%d}T10:00:00+01:00",
        "currency": "EUR",
        "total": "49.90",
        "lines": [
            {"line_id": "1", "sku": "tea-100", "quantity": 2, "unit_price": "19.95", "category": "tea"},
            {"line_id": "2", "sku": "cup-7", "quantity": 1, "unit_price": "12.00", "discount": "2.00"},
        ],
        "channel": "web",
    }
    returned = {
        "event_id": f"shop-{day:%y%m%d}-1001-return-1",
        "order_id": f"{day:%y%m%d}-1001",
        "customer_id": "c-4711",
        "occurred_at": f"{day:%Y-%m-%d}T18:30:00+01:00",
        "currency": "EUR",
        "total": "10.00",
        "lines": [{"line_id": "2", "quantity": 1, "amount": "10.00"}],
        "reason": "too small",
    }
    cancellation = {
        "event_id": f"shop-{day:%y%m%d}-1002-cancelled",
        "order_id": f"{day:%y%m%d}-1002",
        "occurred_at": f"{day:%Y-%m-%d}T11:00:00+01:00",
        "reason": "paid twice",
    }
    feedback = {
        "event_id": f"survey-{day:%y%m%d}-77",
        "customer_id": "c-4711",
        "kind": "nps",
        "score": 9,
        "comment": "Quick and friendly.",
        "occurred_at": f"{day:%Y-%m-%d}T18:00:00+01:00",
    }
    activity = {
        "customer_id": "c-4711",
        "kind": "app_downloaded",
        "properties": {"platform": "ios"},
        "occurred_at": f"{day:%Y-%m-%d}T12:00:00+01:00",
    }
    profile = {
        "email": "ada@example.org",
        "name": "Ada Lovelace",
        "locale": "de-DE",
        "consents": [{"channel": "email", "purpose": "marketing", "granted": True}],
    }
    return {
        ("post", "/v1/purchases"): purchase,
        ("post", "/v1/purchases/batch"): {"purchases": [purchase]},
        ("post", "/v1/returns"): returned,
        ("post", "/v1/returns/batch"): {"returns": [returned]},
        ("post", "/v1/cancellations"): cancellation,
        ("post", "/v1/cancellations/batch"): {"cancellations": [cancellation]},
        ("post", "/v1/feedback"): feedback,
        ("post", "/v1/feedback/batch"): {"feedback": [feedback]},
        ("post", "/v1/activities"): activity,
        ("post", "/v1/activities/batch"): {"activities": [activity]},
        ("put", "/v1/customers/{customer_id}"): profile,
        ("post", "/v1/customers/batch"): {"customers": [{"customer_id": "c-4711"} | profile]},
        ("post", "/v1/customer-tokens"): {"customer_id": "c-4711"},
        ("post", "/v1/keys"): {"scopes": ["events:write"], "name": "till 7"},
        ("post", "/v1/tenants"): {"name": "teashop", "currency": "EUR", "time_zone": "Europe/Berlin"},
        ("put", "/v1/programme"): {"name": "Teashop Club", "points_per_unit": "1", "rounding": "floor"},
        ("post", "/v1/quotes"): {
            "total": "49.90",
            "currency": "EUR",
            "lines": [
                {"line_id": "1", "quantity": 2, "unit_price": "19.95"},
                {"line_id": "2", "quantity": 1, "unit_price": "12.00", "discount": "2.00"},
            ],
        },
    }
