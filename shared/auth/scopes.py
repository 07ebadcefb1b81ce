"""What an API key may be allowed to do."""

from typing import Final

EVENTS_WRITE: Final = "events:write"
CUSTOMERS_WRITE: Final = "customers:write"
CUSTOMERS_READ: Final = "customers:read"
PROGRAMME_WRITE: Final = "programme:write"
PROGRAMME_READ: Final = "programme:read"
METRICS_READ: Final = "metrics:read"
TOKENS_WRITE: Final = "tokens:write"
KEYS_WRITE: Final = "keys:write"
# Operates the platform: creates tenants. No tenant's own key has it.
ADMIN: Final = "admin"
# Not a key's: a customer's token has it if the key that made it may read customers (customers:read) itself.
EXPORT_OWN: Final = "export:own"

SCOPES: Final = (
    EVENTS_WRITE,
    CUSTOMERS_WRITE,
    CUSTOMERS_READ,
    PROGRAMME_WRITE,
    PROGRAMME_READ,
    METRICS_READ,
    TOKENS_WRITE,
    KEYS_WRITE,
    ADMIN,
)
FIRST_KEY_SCOPES: Final = frozenset(SCOPES) - {ADMIN}
