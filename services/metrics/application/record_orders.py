"""Purchases, returns and cancellations: from a batch of events to orders, refunds, days and customers."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.metrics.application.outcomes import PROGRAMME_UNKNOWN, effect, refusal
from services.metrics.application.ports import Store
from services.metrics.application.record_customers import record_customers
from services.metrics.domain.errors import RefusedEventError
from services.metrics.domain.fold import OrderFold
from services.metrics.domain.orders import Order, OrderKey, Refund
from services.metrics.domain.programme import Programme
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.messaging.incoming import Incoming, Outcome
from shared.money import to_text


async def record_orders(store: Store, events: Sequence[Incoming]) -> dict[UUID, Outcome]:
    """Have the effects of these events, in their order. Locks: orders sorted, then customers sorted, then days."""
    programmes = await store.programmes.find(incoming.tenant for incoming in events)
    known = [incoming for incoming in events if incoming.tenant in programmes]
    outcomes = {incoming.id: PROGRAMME_UNKNOWN for incoming in events if incoming.tenant not in programmes}
    if known:
        fold = await _load(store, known)
        outcomes.update((each.id, _outcome(fold, each, programmes)) for each in known)
        await _save(store, fold)
    return outcomes


async def _load(store: Store, events: Sequence[Incoming]) -> OrderFold:
    orders = await store.orders.lock({_key(incoming) for incoming in events})
    # Only a purchase that comes late and a cancellation move the refunds that an order has already.
    moving = {_key(each) for each in events if not isinstance(each.event, PurchaseReturned)}
    moved = [order.key for order in orders if order.refunded_minor and order.key in moving]
    return OrderFold(orders, await store.orders.refunds_of(moved) if moved else ())


async def _save(store: Store, fold: OrderFold) -> None:
    await store.orders.save(fold.created.values(), fold.changed.values())
    await store.orders.save_refunds(fold.refunds, fold.settled)
    await record_customers(store, fold.days)
    await store.totals.add(fold.days.tenants)


def _outcome(fold: OrderFold, incoming: Incoming, programmes: Mapping[str, Programme]) -> Outcome:
    try:
        return _apply(fold, incoming, programmes[incoming.tenant])
    except RefusedEventError as refused:
        return refusal(refused.code)


def _apply(fold: OrderFold, incoming: Incoming, programme: Programme) -> Outcome:
    tenant, part = incoming.tenant, incoming.raw.part
    match incoming.event:
        case PurchaseCompleted() as e:
            programme.require_currency(e.currency)
            day = programme.business_date(e.occurred_at)
            order = Order(tenant, e.order_id, e.customer_id, e.occurred_at, day, e.total_minor, event_id=incoming.id)
            return effect(fold.purchase(order, part), order_id=e.order_id)
        case PurchaseReturned() as e:
            programme.require_currency(e.currency)
            day = programme.business_date(e.occurred_at)
            back = Refund(
                tenant, e.order_id, incoming.id, e.customer_id, e.total_minor, e.occurred_at, day,
                names_lines=bool(e.lines),
            )  # fmt: skip
            kind = fold.give_back(back, part)
            cut = {"clamped": to_text(back.clamped_minor, e.currency)} if back.clamped_minor else {}
            return effect(kind, order_id=e.order_id, **cut)
        case PurchaseCancelled() as e:
            return effect(fold.cancel((tenant, e.order_id), e.customer_id, part), order_id=e.order_id)
        case other:
            raise TypeError(f"{type(other).__name__} is no event of an order")


def _key(incoming: Incoming) -> OrderKey:
    event = incoming.event
    if not isinstance(event, (PurchaseCompleted, PurchaseReturned, PurchaseCancelled)):  # a union takes twice as long
        raise TypeError(f"{type(event).__name__} is no event of an order")
    return incoming.tenant, event.order_id
