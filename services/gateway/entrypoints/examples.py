"""Bodies that work as they stand (but for their dates, some day)."""

from typing import Any, Final

_PURCHASE: Final[dict[str, Any]] = {
    "event_id": "shop-1001-paid",
    "order_id": "1001",
    "customer_id": "c-4711",
    "occurred_at": "2026-11-22T10:00:00+01:00",
    "currency": "EUR",
    "total": "49.90",
    "lines": [
        {"line_id": "1", "sku": "tea-100", "quantity": 2, "unit_price": "19.95", "category": "tea"},
        {"line_id": "2", "sku": "cup-7", "quantity": 1, "unit_price": "12.00", "discount": "2.00"},
    ],
    "channel": "web",
}
_RETURN: Final[dict[str, Any]] = {
    "event_id": "shop-1001-return-1",
    "order_id": "1001",
    "customer_id": "c-4711",
    "occurred_at": "2026-11-23T09:30:00+01:00",
    "currency": "EUR",
    "total": "10.00",
    "lines": [{"line_id": "2", "quantity": 1, "amount": "10.00"}],
    "reason": "too small",
}
_CANCELLATION: Final[dict[str, Any]] = {
    "event_id": "shop-1002-cancelled",
    "order_id": "1002",
    "occurred_at": "2026-11-22T11:00:00+01:00",
    "reason": "paid twice",
}
_FEEDBACK: Final[dict[str, Any]] = {
    "event_id": "survey-77",
    "customer_id": "c-4711",
    "kind": "nps",
    "score": 9,
    "comment": "Quick and friendly.",
    "occurred_at": "2026-11-22T18:00:00+01:00",
}
_ACTIVITY: Final[dict[str, Any]] = {
    "customer_id": "c-4711",
    "kind": "app_downloaded",
    "properties": {"platform": "ios"},
    "occurred_at": "2026-11-22T12:00:00+01:00",
}
_PROFILE: Final[dict[str, Any]] = {
    "email": "ada@example.org",
    "name": "Ada Lovelace",
    "locale": "de-DE",
    "consents": [{"channel": "email", "purpose": "marketing", "granted": True}],
}

BODIES: Final[dict[str, Any]] = {
    "/v1/purchases": _PURCHASE,
    "/v1/purchases/batch": {"purchases": [_PURCHASE]},
    "/v1/returns": _RETURN,
    "/v1/returns/batch": {"returns": [_RETURN]},
    "/v1/cancellations": _CANCELLATION,
    "/v1/cancellations/batch": {"cancellations": [_CANCELLATION]},
    "/v1/feedback": _FEEDBACK,
    "/v1/feedback/batch": {"feedback": [_FEEDBACK]},
    "/v1/activities": _ACTIVITY,
    "/v1/activities/batch": {"activities": [_ACTIVITY]},
    "/v1/customers/{customer_id}": _PROFILE,
    "/v1/customers/batch": {"customers": [{"customer_id": "c-4711"} | _PROFILE]},
    "/v1/customer-tokens": {"customer_id": "c-4711"},
    "/v1/keys": {"scopes": ["events:write"], "name": "till 7"},
    "/v1/tenants": {"name": "teashop", "currency": "EUR", "time_zone": "Europe/Berlin"},
}
