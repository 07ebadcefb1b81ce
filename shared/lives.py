"""Whose the events of erased customers are: the same events, as a service that books orders is to take them."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from shared.db.transaction import Transaction
from shared.erasures import REFUSED, CustomerKey, Erasure, ErasureTable, is_erased, owner_of
from shared.events.contract import CustomerEvent, Event, OrderEvent
from shared.events.customers import ConsentStated, CustomerUpdated
from shared.events.purchases import PurchaseCompleted
from shared.messaging.incoming import Incoming, Outcome

Known = Mapping[CustomerKey, Sequence[Erasure]]


def named_in(events: Collection[Incoming]) -> set[CustomerKey]:
    """The customers whom these events name."""
    return {(event.tenant, customer_id) for event in events if (customer_id := _customer(event.event)) is not None}


async def attributed(
    erasures: ErasureTable, tx: Transaction, events: Sequence[Incoming], known: Known
) -> tuple[list[Incoming], dict[UUID, Outcome]]:
    """The events with the customer whom they mean, and what was refused of them.

    A purchase under an erased id is a guest's, one from a former life the pseudonym's. Returns and cancellations name
    nobody then: whose the order is stands in the order. A profile and a consent of an erased id are refused.
    """
    bought = [(each.tenant, each.id) for each in events if _is_judged(each, known)]
    judged = await erasures.judged_orders(tx, bought) if bought else {}
    new: dict[tuple[str, UUID], str | None] = {}
    found: list[Incoming] = []
    outcomes: dict[UUID, Outcome] = {}
    for each in events:
        own = known.get((each.tenant, _customer(each.event) or ""), ())
        if not own:
            found.append(each)
        elif isinstance(each.event, CustomerUpdated | ConsentStated):
            if is_erased(own):
                outcomes[each.id] = REFUSED
            else:
                found.append(each)
        elif isinstance(each.event, PurchaseCompleted):
            event = (each.tenant, each.id)
            whose = judged[event] if event in judged else _buyer(each, each.event, own)
            if whose != each.event.customer_id:
                new[event] = whose
            found.append(_as(each, whose))
        else:
            found.append(_as_meant(each, own))
    await erasures.judge_orders(tx, new)
    return found, outcomes


def without_names(events: Sequence[Incoming], known: Known) -> list[Incoming]:
    """Returns that waited, those of customers with a former life naming nobody."""
    return [_as(each, None) if (each.tenant, _customer(each.event) or "") in known else each for each in events]


def _is_judged(event: Incoming, known: Known) -> bool:
    return isinstance(event.event, PurchaseCompleted) and (event.tenant, event.event.customer_id or "") in known


def _buyer(incoming: Incoming, event: PurchaseCompleted, own: Sequence[Erasure]) -> str | None:
    owner = owner_of(event.customer_id or "", own, incoming.envelope.time)
    return None if owner.erased else owner.customer_id


def _as_meant(incoming: Incoming, own: Sequence[Erasure]) -> Incoming:
    if isinstance(incoming.event, OrderEvent):
        return _as(incoming, None)
    return _as(incoming, owner_of(_customer(incoming.event) or "", own, incoming.envelope.time).customer_id)


def _as(incoming: Incoming, customer_id: str | None) -> Incoming:
    return replace(incoming, event=replace(incoming.event, customer_id=customer_id))


def _customer(event: Event) -> str | None:
    return event.customer_id if isinstance(event, CustomerEvent | OrderEvent) else None
