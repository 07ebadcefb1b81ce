"""Which credential an operation needs, as the document and docs/api/scopes.md say it. The operations themselves refuse;
tests/e2e/test_scopes.py asks each of them with every scope and holds this table against what it hears."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from shared.auth.scopes import (
    ADMIN,
    CUSTOMERS_READ,
    CUSTOMERS_WRITE,
    EVENTS_WRITE,
    KEYS_WRITE,
    METRICS_READ,
    PROGRAMME_READ,
    PROGRAMME_WRITE,
    TOKENS_WRITE,
)

Document = dict[str, Any]
KEY: Final = "bearer"
CUSTOMER: Final = "customer"
CUSTOMER_SCHEME: Final[Document] = {
    "type": "http",
    "scheme": "bearer",
    "description": "A customer's token (`POST /v1/customer-tokens`), for that customer alone, who is `me` in paths.",
}


class Need(NamedTuple):
    """One of these scopes, or any key of the shop if there is none; `customer` tells whether a customer's token will
    do as well."""

    scopes: tuple[str, ...] = ()
    customer: bool = False

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """The same as OpenAPI writes alternatives; what stands beside a scheme is what the credential must have."""
        found: list[dict[str, list[str]]] = [{KEY: [scope]} for scope in self.scopes] or [{KEY: []}]
        if self.customer:
            found.append({CUSTOMER: []})
        return found

    @property
    def sentence(self) -> str:
        """The same for people."""
        scopes = " or ".join(f"`{scope}`" for scope in self.scopes)
        needs = f"Needs the scope {scopes}" if scopes else "Needs any key of the shop"
        return f"{needs}, or a customer's token." if self.customer else f"{needs}."


_EVENTS: Final = Need((EVENTS_WRITE,))
_VOICES: Final = Need((EVENTS_WRITE,), customer=True)
_PROFILES: Final = Need((CUSTOMERS_WRITE,))
_READ: Final = Need((CUSTOMERS_READ,), customer=True)
_TERMS: Final = Need((PROGRAMME_READ, PROGRAMME_WRITE), customer=True)
_FIGURES: Final = Need((METRICS_READ,))
_KEYS: Final = Need((KEYS_WRITE, ADMIN))
_OPERATOR: Final = Need((ADMIN,))

NEEDS: Final[Mapping[tuple[str, str], Need]] = {
    **{
        ("post", f"/v1/{kind}{batch}"): need
        for need, kinds in ((_EVENTS, ("purchases", "returns", "cancellations")), (_VOICES, ("feedback", "activities")))
        for kind in kinds
        for batch in ("", "/batch")
    },
    ("get", "/v1/events/{event_id}"): Need((EVENTS_WRITE, CUSTOMERS_WRITE, CUSTOMERS_READ), customer=True),
    ("post", "/v1/customers/batch"): _PROFILES,
    ("put", "/v1/customers/{customer_id}"): _PROFILES,
    ("delete", "/v1/customers/{customer_id}"): _PROFILES,
    ("post", "/v1/customers/{customer_id}/consents"): Need((CUSTOMERS_WRITE,), customer=True),
    **{
        ("get", f"/v1/customers/{{customer_id}}/{what}"): _READ
        for what in ("balance", "transactions", "profile", "consents", "messages", "export")
    },
    ("get", "/v1/transactions/{entry_id}/explain"): _READ,
    ("get", "/v1/programme"): _TERMS,
    ("get", "/v1/programme/versions"): _TERMS,
    ("put", "/v1/programme"): Need((PROGRAMME_WRITE,)),
    ("post", "/v1/quotes"): Need(customer=True),
    **{
        ("get", f"/v1/metrics/{figure}"): _FIGURES
        for figure in ("repeat-purchase", "purchase-frequency", "average-order-value", "nps")
    },
    ("post", "/v1/customer-tokens"): Need((TOKENS_WRITE,)),
    ("post", "/v1/keys"): _KEYS,
    ("get", "/v1/keys"): _KEYS,
    ("delete", "/v1/keys/{key_id}"): _KEYS,
    ("post", "/v1/tenants"): _OPERATOR,
    ("get", "/v1/tenants"): _OPERATOR,
    ("put", "/v1/tenants/{tenant}/limit"): _OPERATOR,
}


def add_needs(document: Document) -> None:
    """Tell of each operation who may."""
    document.setdefault("components", {}).setdefault("securitySchemes", {})[CUSTOMER] = CUSTOMER_SCHEME
    for (method, path), need in NEEDS.items():
        operation = document["paths"].get(path, {}).get(method)
        if operation is not None:  # its service may be away
            operation["security"] = need.security
            operation["description"] = f"{operation.get('description', '')}\n\n{need.sentence}".strip()
