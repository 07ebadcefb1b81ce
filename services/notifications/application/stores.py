"""The stores that handlers work on, and what is the same for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.notifications.application.ports import Customers, Key, Messages
from shared.db.transaction import Transaction
from shared.events.contract import CustomerEvent
from shared.messaging.incoming import Effects, Incoming, Outcome

UNKNOWN_PROGRAMME = Outcome("waiting", "programme_unknown")


@dataclass(frozen=True, slots=True)
class Stores:
    """Who the customers are, and their messages."""

    customers: Customers
    messages: Messages

    async def of_known_tenants(
        self, tx: Transaction, events: Sequence[Incoming], effects: Effects
    ) -> list[tuple[Incoming, CustomerEvent, Key]]:
        """The events whose tenant's programme is known, each with what it says and about whom; the others wait."""
        known = await self.customers.programmes(tx, {incoming.tenant for incoming in events})
        found: list[tuple[Incoming, CustomerEvent, Key]] = []
        for incoming in events:
            event = incoming.event
            if incoming.tenant not in known:
                effects.outcomes[incoming.id] = UNKNOWN_PROGRAMME
            elif isinstance(event, CustomerEvent):
                found.append((incoming, event, (incoming.tenant, event.customer_id)))
        return found
