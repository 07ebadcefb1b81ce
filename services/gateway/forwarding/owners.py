"""Who answers what: the table of paths that are forwarded. What is not here does not exist outside."""

from collections.abc import Iterator, Mapping

from services.gateway.forwarding.upstream import Service

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


# The methods of paths that the contract fixes; of all others the owner knows, and says so itself.
_GET = ("GET",)
_METHODS: Mapping[str, tuple[str, ...]] = {
    "/v1/customers/{customer_id}/balance": _GET,
    "/v1/customers/{customer_id}/transactions": _GET,
    "/v1/customers/{customer_id}/messages": _GET,
    "/v1/programme": ("GET", "PUT"),
    "/v1/quotes": ("POST",),
}
_ANY = ("*",)


def methods_of(template: str) -> tuple[str, ...]:
    """The methods that are forwarded at a template; `*` stands for any."""
    return _METHODS.get(template, _ANY)


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


# Who listens to events of a topic; what the others say of one means nothing.
LISTENING: Mapping[str, tuple[Service, ...]] = {
    "treue.purchases": ("points", "metrics"),
    "treue.feedback": ("points", "notifications", "metrics"),
    "treue.activities": ("points", "metrics"),
    "treue.customers": ("points", "notifications", "metrics"),
}

# The service whose word on an event counts (docs/architecture.md), by the event's topic.
DECIDING: Mapping[str, Service] = {
    "treue.purchases": "points",
    "treue.feedback": "metrics",
    "treue.activities": "metrics",
    "treue.customers": "notifications",
}
