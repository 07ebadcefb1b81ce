"""The stores that handlers work on, and what is the same for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from services.notifications.application.ports import Customers, Key, Messages
from shared.db.transaction import Transaction
from shared.erasures import ErasureTable, owner_of
from shared.events.contract import CustomerEvent
from shared.messaging.incoming import Effects, Incoming, Outcome

UNKNOWN_PROGRAMME = Outcome("waiting", "programme_unknown")


@dataclass(frozen=True, slots=True)
class Stores:
    """Who the customers are, and their messages."""

    customers: Customers
    messages: Messages
    erasures: ErasureTable

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

    async def of_their_lives(
        self, tx: Transaction, events: Sequence[tuple[Incoming, CustomerEvent, Key]]
    ) -> list[tuple[Incoming, CustomerEvent, Key]]:
        """The same events; one that belongs to a life of its customer that was erased is the pseudonym's. The profiles
        are locked."""
        erasures = await self.erasures.find(tx, {key for _, _, key in events})
        if not erasures:
            return list(events)
        found: list[tuple[Incoming, CustomerEvent, Key]] = []
        for incoming, event, (tenant, customer_id) in events:
            owner = owner_of(customer_id, erasures.get((tenant, customer_id), ()), incoming.envelope.time)
            own = event if owner.customer_id == customer_id else replace(event, customer_id=owner.customer_id)
            found.append((incoming, own, (tenant, owner.customer_id)))
        return found
