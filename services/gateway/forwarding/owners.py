"""Who answers what: the table of paths that are forwarded. What is not here does not exist outside."""

from collections.abc import Iterator, Mapping

from services.gateway.forwarding.upstream import Service

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Below /v1/customers/{customer_id}/
_OF_A_CUSTOMER: Mapping[Service, tuple[str, ...]] = {
    "points": ("balance", "transactions", "redemptions", "holds", "tier", "rewards", "coupons", "card", "referrals"),
    "notifications": ("messages", "profile", "consents", "cases"),
    "metrics": ("metrics", "segments", "journey"),
}
# Below /v1/; each also with whatever follows.
_PREFIXES: Mapping[Service, tuple[str, ...]] = {
    "points": (
        "programme", "transactions", "quotes", "rules", "tiers", "rewards", "redemptions", "coupons", "cards",
        "referrals", "adjustments", "benefits", "brands",
    ),
    "notifications": ("messages", "templates", "campaigns", "journeys", "consents", "cases", "unsubscribe"),
    "metrics": ("metrics", "segments", "testimonials", "experiments", "reports"),
}  # fmt: skip


def forwarded() -> Iterator[tuple[str, Service]]:
    """Path templates with their owners, the most asked for first."""
    for service, names in _OF_A_CUSTOMER.items():
        for name in names:
            yield f"/v1/customers/{{customer_id}}/{name}", service
    for service, names in _PREFIXES.items():
        for name in names:
            yield f"/v1/{name}", service
            yield f"/v1/{name}/{{rest:path}}", service
    for service, names in _OF_A_CUSTOMER.items():
        for name in names:
            yield f"/v1/customers/{{customer_id}}/{name}/{{rest:path}}", service


# The service whose word on an event counts (docs/architecture.md), by the event's topic.
DECIDING: Mapping[str, Service] = {
    "treue.purchases": "points",
    "treue.feedback": "metrics",
    "treue.activities": "metrics",
    "treue.customers": "notifications",
}
