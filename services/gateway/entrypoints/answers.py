"""What the main routes answer, as the OpenAPI document shows it: to the bodies of examples.py, where there are any."""

from datetime import datetime, timedelta
from typing import Any, Final

Answers = dict[tuple[str, str, str], Any]
_EVENT: Final = "0199f0a1-7c3e-7b52-9d84-2f6a1c0e5b37"
_EARNED: Final = "0199f0a1-7d10-7a41-8c22-5e9b7f3d1a68"
_ACCEPTED: Final = {"event_id": _EVENT, "status": "accepted", "status_url": f"/v1/events/{_EVENT}"}
_BALANCE: Final = {
    "customer_id": "c-4711", "available": 49, "pending": 0, "held": 0, "debt": 0, "lifetime_earned": 49, "tier": None,
    "expiring": [], "version": 1,
}  # fmt: skip
_ARITHMETIC: Final = "49.90 EUR x 1 points = 49.90, rounded down: 49 points."
_FIGURE: Final = {
    "from": "2026-01-01", "to": "2026-04-01", "time_zone": "Europe/Berlin", "currency": "EUR",
    "complete_through": "2026-04-01T06:00:00Z",
}  # fmt: skip


def answer_examples(now: datetime) -> Answers:
    """By method, path and status."""
    day = f"{now - timedelta(days=1):%Y-%m-%d}"
    at = f"{day}T09:00:01Z"
    order = f"{day[2:].replace('-', '')}-1001"
    return {
        **_taken(), **_event(order, at), **_points(order, day, at), **_programme(day, at), **_lists(at), **_made(now),
        **_figures(),
    }  # fmt: skip


def _taken() -> Answers:
    kinds = ("purchases", "returns", "cancellations", "feedback", "activities")
    return {
        **{("post", f"/v1/{kind}", "202"): _ACCEPTED for kind in kinds},
        **{("post", f"/v1/{kind}/batch", "202"): _batch(kind) for kind in (*kinds, "customers")},
        ("put", "/v1/customers/{customer_id}", "202"): _ACCEPTED,
        ("delete", "/v1/customers/{customer_id}", "202"): _ACCEPTED,
        ("post", "/v1/customers/{customer_id}/consents", "202"): _ACCEPTED,
    }


def _event(order: str, at: str) -> Answers:
    state = {
        "event_id": _EVENT,
        "status": "applied",
        "effects": [
            {"service": "points", "kind": "points.earned", "points": 49},
            {"service": "metrics", "kind": "order.counted", "order_id": order},
        ],
        "conflicts": [],
        "services": {name: {"status": "applied", "applied_at": at} for name in ("points", "metrics")},
    }
    return {("get", "/v1/events/{event_id}", "200"): state}


def _points(order: str, day: str, at: str) -> Answers:
    occurred_at = f"{day}T09:00:00Z"
    entry = {
        "id": _EARNED, "kind": "earned", "points": 49, "debt": 0, "balance_after": 49, "event_id": _EVENT,
        "order_id": order, "occurred_at": occurred_at, "recorded_at": at, "reason": "purchase",
    }  # fmt: skip
    explained = {
        "entry": entry,
        "customer_id": "c-4711",
        "event": {"event_id": _EVENT, "order_id": order, "occurred_at": occurred_at},
        "programme_version": 2,
        "inputs": {"total": "49.90", "currency": "EUR", "points_per_unit": "1", "exact": "49.90", "rounding": "floor"},
        "arithmetic": _ARITHMETIC,
        "caps": [],
        "lots_used": [],
        "lot": {"amount": 49, "remaining": 49, "held": 0, "active_from": occurred_at, "expires_at": None},
    }
    return {
        ("get", "/v1/customers/{customer_id}/balance", "200"): _BALANCE,
        ("get", "/v1/customers/{customer_id}/transactions", "200"): {"items": [entry], "next": None},
        ("get", "/v1/transactions/{entry_id}/explain", "200"): explained,
    }


def _programme(day: str, at: str) -> Answers:
    programme = {
        "name": "Teashop Club", "currency": "EUR", "time_zone": "Europe/Berlin", "locale": "de-DE",
        "points_per_unit": "1", "rounding": "floor", "return_policy": "recompute", "activation_delay": "P0D",
        "version": 2, "effective_from": f"{day}T00:00:00Z", "recorded_at": at,
    }  # fmt: skip
    return {
        ("get", "/v1/programme", "200"): programme | {"scheduled": []},
        ("get", "/v1/programme/versions", "200"): {"items": [programme], "next": None},
        ("put", "/v1/programme", "200"): programme,
        ("post", "/v1/quotes", "200"): {
            "points": 49,
            "pending": False,
            "active_from": at,
            "programme_version": 2,
            "arithmetic": _ARITHMETIC,
            "not_more_because": [{"reason": "rounding", "rule": "floor", "exact": "49.90"}],
            "lines": [
                {"line_id": "1", "paid": "39.90", "points": 39},
                {"line_id": "2", "paid": "10.00", "points": 10},
            ],
        },
    }


def _made(now: datetime) -> Answers:
    shown_once = "treue_live_0351v8C3yszOwk39CbZCPG_<secret>"
    return {
        ("post", "/v1/customer-tokens", "201"): {
            "token": "eyJhbGciOiJFZERTQSJ9.payload.signature", "expires_at": f"{now:%Y-%m-%d}T23:00:00Z",
        },
        ("post", "/v1/keys", "201"): {
            "id": "0351v8C3yszOwk39CbZCPG", "api_key": shown_once, "tenant": "teashop", "mode": "live",
            "scopes": ["events:write"], "expires_at": None,
        },
        ("post", "/v1/tenants", "201"): {"tenant": "teashop", "api_key": shown_once},
    }  # fmt: skip


def _batch(kind: str) -> dict[str, Any]:
    """One was taken, one was not."""
    fault = {
        "pointer": f"/{kind}/1/occurred_at", "rule": "offset", "detail": "Must say its offset: Z or +01:00.",
        "value": "2026-01-15T10:00:00",
    }  # fmt: skip
    error = {
        "type": "urn:treue:problem:invalid", "title": "Unprocessable Content", "status": 422, "code": "invalid",
        "detail": "The body is not acceptable.", "errors": [fault],
    }  # fmt: skip
    results = [{"index": 0, "event_id": _EVENT}, {"index": 1, "error": error}]
    return {"accepted": 1, "rejected": 1, "results": results}


def _message(at: str) -> dict[str, Any]:
    return {
        "id": "0199f0a1-7e02-7c10-9b55-6d2e8a4f0c91", "template": "points_earned", "channel": "email",
        "purpose": "service", "locale": "de-DE", "subject": "49 Punkte für Ihre Bestellung",
        "body": "Sie haben 49 Punkte erhalten.", "event_id": _EVENT, "cause_id": _EARNED, "status": "sent",
        "reason": None, "created_at": at, "sent_at": at,
    }  # fmt: skip


def _lists(at: str) -> Answers:
    current = [{"channel": "email", "purpose": "marketing", "granted": True}]
    profile = {
        "customer_id": "c-4711", "state": "known", "email": "ada@example.org", "name": "Ada Lovelace", "phone": None,
        "birthday": None, "locale": "de-DE", "time_zone": None, "kind": "consumer", "occurred_at": at,
        "consents": current,
    }  # fmt: skip
    consent = {
        "channel": "email", "purpose": "marketing", "granted": True, "said_by": "shop", "since": at, "received_at": at,
        "effective": True, "event_id": _EVENT,
    }  # fmt: skip
    key = {
        "id": "0351v8C3yszOwk39CbZCPG", "tenant": "teashop", "mode": "live", "scopes": ["events:write"],
        "name": "till 7", "created_at": at, "created_by": "operator", "expires_at": None, "last_used_at": at,
        "revoked_at": None,
    }  # fmt: skip
    tenant = {
        "tenant": "teashop", "name": "teashop", "display_name": None, "currency": "EUR", "time_zone": "Europe/Berlin",
        "locale": "de-DE", "programme_version": 2, "created_at": at, "events_per_s": None,
    }  # fmt: skip
    order = {
        "order_id": "1001", "event_id": _EVENT, "occurred_at": at, "business_date": at[:10], "total": "49.90",
        "refunded": "0.00", "cancelled": False, "currency": "EUR", "refunds": [],
    }  # fmt: skip
    return {
        ("get", "/v1/customers/{customer_id}/messages", "200"): {"items": [_message(at)], "next": None},
        ("get", "/v1/customers/{customer_id}/profile", "200"): profile,
        ("get", "/v1/customers/{customer_id}/consents", "200"): {
            "items": [consent],
            "next": None,
            "current": current,
        },
        ("get", "/v1/customers/{customer_id}/export", "200"): {
            "customer_id": "c-4711",
            "exported_at": at,
            "points": {"balance": _BALANCE, "transactions": []},
            "notifications": {"profile": profile, "consents": [consent], "messages": []},
            "metrics": {"orders": [order], "feedback": [], "events": []},
        },
        ("get", "/v1/keys", "200"): {"items": [key], "next": None},
        ("get", "/v1/tenants", "200"): {"items": [tenant], "next": None},
        ("put", "/v1/tenants/{tenant}/limit", "200"): tenant | {"events_per_s": 5_000},
    }


def _figures() -> Answers:
    found = {
        "repeat-purchase": {"customers": 1200, "repeat_customers": 420, "rate": 0.35, "definition": "rate = ..."},
        "purchase-frequency": {"orders": 2100, "customers": 1200, "frequency": 1.75, "definition": "frequency = ..."},
        "average-order-value": {
            "orders": 2310, "guest_orders": 210, "revenue": "115269.00", "refunds": "4312.50",
            "average_order_value": "49.9000", "average_order_value_net": "48.0331",
            "definition": "revenue / orders ...",
        },
        "nps": {
            "responses": 640, "promoters": 352, "passives": 192, "detractors": 96, "nps": 40.0,
            "definition": "nps = ...",
        },
    }  # fmt: skip
    return {("get", f"/v1/metrics/{name}", "200"): _FIGURE | figure for name, figure in found.items()}
