"""Customers who are erased, and who rejoin; and the bodies of customers' events, which are kept until then."""

from collections.abc import Sequence
from typing import Final

from services.metrics.application.ports import CustomerRecord, Store
from shared.db.transaction import Transaction
from shared.erasures import REFUSED, ErasureTable, Owner, is_erased, may_rejoin, owner_of
from shared.events.activities import ActivityRecorded
from shared.events.contract import OrderEvent
from shared.events.customers import CustomerErased, CustomerUpdated
from shared.events.feedback import FeedbackSubmitted
from shared.lives import Known
from shared.messaging.incoming import Effects, Incoming, Outcome

_ERASED: Final = Outcome(
    effects=(
        {
            "kind": "customer_erased",
            "erased": ["bodies of purchases, returns, cancellations, feedback and activities"],
            "kept": ["orders, refunds and scores, under a pseudonym that no read gives out"],
        },
    )
)
_REJOINED: Final = Outcome(effects=({"kind": "customer_rejoined"},))


async def record_life(store: Store, erasures: ErasureTable, tx: Transaction, incoming: Incoming) -> Outcome:
    """An erasure, or a profile with which an id may rejoin."""
    event = incoming.event
    assert isinstance(event, CustomerErased | CustomerUpdated)  # noqa: S101 - the caller has looked
    key = (incoming.tenant, event.customer_id)
    known = (await erasures.find(tx, [key])).get(key, [])
    if isinstance(event, CustomerErased):
        if not is_erased(known):
            made = await erasures.begin(tx, key, known, incoming.envelope.time)
            await store.records.pseudonymise(*key, made.pseudonym, made.erased_at)
        return _ERASED
    if not is_erased(known):
        return Outcome()
    if not may_rejoin(event, known):
        return REFUSED
    await erasures.end(tx, key, known[-1], incoming.envelope.time)
    return _REJOINED


async def record_bodies(store: Store, events: Sequence[Incoming], effects: Effects, known: Known) -> None:
    """Keep what these events said of their customers, but of those who were erased since."""
    await store.records.append(
        [
            CustomerRecord(
                each.tenant, customer, each.envelope.time, each.id, each.envelope.type, (each.raw.value or b"").decode()
            )
            for each in events
            if (customer := _customer(each)) is not None
            and (not known or _is_theirs(each, customer, known))
            and effects.of(each.id).status != "waiting"
        ]
    )


def _customer(incoming: Incoming) -> str | None:
    event = incoming.event
    if isinstance(event, (OrderEvent, FeedbackSubmitted, ActivityRecorded)):
        return event.customer_id
    return None


def _is_theirs(incoming: Incoming, customer: str, known: Known) -> bool:
    return owner_of(customer, known.get((incoming.tenant, customer), ()), incoming.envelope.time) == Owner(customer)
