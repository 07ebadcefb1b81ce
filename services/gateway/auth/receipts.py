"""A customer's receipt for an event: the address under which the customer, and nobody else, reads what became of it.

The services do not keep who posted an event. So the address carries a keyed hash of event and customer: whoever holds
the customer's token and the address that came with the 202 may look.
"""

import hmac
from typing import Final

from shared.auth.principal import Principal

_LENGTH: Final = 32


class Receipts:
    """Writes and reads them, with the gateway's secret."""

    def __init__(self, pepper: str) -> None:
        self._pepper = pepper.encode()

    def status_url(self, principal: Principal, event_id: str) -> str:
        """Where the caller who posted this event reads what became of it."""
        receipt = "" if principal.customer is None else f".{self._receipt(principal, event_id)}"
        return f"/v1/events/{event_id}{receipt}"

    def opens(self, principal: Principal, event_id: str, receipt: str) -> bool:
        """Whether this customer was given this receipt for this event."""
        return receipt.isascii() and hmac.compare_digest(receipt, self._receipt(principal, event_id))

    def _receipt(self, principal: Principal, event_id: str) -> str:
        name = f"receipt\0{principal.tenant}\0{principal.customer}\0{event_id}".encode()
        return hmac.digest(self._pepper, name, "sha256").hex()[:_LENGTH]
