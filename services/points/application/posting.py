"""A batch of events becomes ledger rows.

Locks are taken in one order by every writer: orders sorted, then wallets sorted, then customers sorted. An order row is
where a purchase and its returns meet, whatever partition they come on; a wallet row is where everything meets that
changes a customer's points. What nobody knew yet is written whole, after the locks; when two transactions come to know
the same order or customer at the same time, the later one fails on the key, is done again, and finds it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from services.points.application.lots_needed import lots_needed, short_of_points
from services.points.application.order_fold import Movement, OrderFold, large_purchases
from services.points.application.ports import (
    CustomerKey,
    OrderKey,
    Orders,
    Programmes,
    WaitingReturns,
    Wallets,
)
from services.points.application.wallet_fold import WalletFold
from services.points.domain.order import Order
from services.points.domain.wallet import Wallet
from shared.db.transaction import Transaction
from shared.erasures import REFUSED, ErasureTable, changes_lives, is_erased, may_rejoin
from shared.events.activities import ActivityRecorded
from shared.events.contract import OrderEvent
from shared.events.customers import ConsentStated, CustomerErased, CustomerUpdated
from shared.events.feedback import FeedbackSubmitted
from shared.events.purchases import PurchaseCompleted
from shared.lives import Known, attributed, named_in, without_names
from shared.messaging.incoming import Effects, Incoming, Outcome

_ERASED = Outcome(
    effects=(
        {
            "kind": "customer_erased",
            "erased": [],
            "kept": ["wallet, ledger and orders, under a pseudonym that no read gives out"],
        },
    )
)
_REJOINED = Outcome(effects=({"kind": "customer_rejoined"},))
# What the inbox says of a return whose purchase has not come; what becomes of it stands in waiting_return.
_EARLY = Outcome(reason="waits_for_purchase")


@dataclass(frozen=True, slots=True)
class PostEvents:
    """Has the effects of events, inside the consumer's transaction."""

    programmes: Programmes
    orders: Orders
    waiting: WaitingReturns
    wallets: Wallets
    erasures: ErasureTable

    async def __call__(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        """Post a batch, in the order of the log. While somebody is erased, nothing else is posted."""
        alone = any(changes_lives(each.event) for each in events)
        await self.erasures.lock(tx, alone=alone)
        if not alone:
            return await self._post(tx, events)
        effects = Effects()
        for changing, run in groupby(events, key=lambda each: changes_lives(each.event)):
            for part in ([each] for each in run) if changing else (list(run),):
                done = await self._change_life(tx, part[0]) if changing else await self._post(tx, part)
                effects.outcomes |= done.outcomes
                effects.outgoing += done.outgoing
        return effects

    async def _change_life(self, tx: Transaction, incoming: Incoming) -> Effects:
        """An erasure, or a profile with which an id may rejoin."""
        event = incoming.event
        assert isinstance(event, CustomerErased | CustomerUpdated)  # noqa: S101 - the caller has looked
        key = (incoming.tenant, event.customer_id)
        known = (await self.erasures.find(tx, [key])).get(key, [])
        if isinstance(event, CustomerErased):
            if not is_erased(known):
                made = await self.erasures.begin(tx, key, known, incoming.envelope.time)
                await self.wallets.pseudonymise(tx, key, made.pseudonym, made.erased_at)
            return Effects({incoming.id: _ERASED})
        if not is_erased(known):
            return await self._post(tx, [incoming])
        if not may_rejoin(event, known):
            return Effects({incoming.id: REFUSED})
        await self.erasures.end(tx, key, known[-1], incoming.envelope.time)
        await self.wallets.rejoin(tx, key)
        return Effects({incoming.id: _REJOINED})

    async def _post(self, tx: Transaction, received: Sequence[Incoming]) -> Effects:
        known = await self.erasures.find(tx, named_in(received))
        events, refused = await attributed(self.erasures, tx, received, known) if known else (received, {})
        effects = await self._post_attributed(tx, events) if events else Effects()
        effects.outcomes |= refused
        return effects

    async def _post_attributed(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        keys = {_order_key(event): event for event in events if isinstance(event.event, OrderEvent)}
        orders = await self._fold_orders(tx, events, keys) if keys else OrderFold({}, {}, {}, {})
        wallets = await self._lock_wallets(tx, orders.movements)
        fold = WalletFold(wallets)
        for movement in orders.movements:
            fold.fold(movement)
        heard = heard_of(events, orders.movements)
        strangers = {key: at for key, at in heard.items() if key not in wallets}
        if strangers:
            await self.wallets.welcome(tx, strangers)
        await self.wallets.save(tx, list(wallets.values()))
        outcomes = orders.outcomes | fold.outcomes
        await self._settle_waiting(tx, orders, outcomes)
        return Effects(outcomes, fold.outgoing)

    async def _fold_orders(
        self, tx: Transaction, events: Sequence[Incoming], keys: Mapping[OrderKey, object]
    ) -> OrderFold:
        """Lock the orders, fold the events into them, and write them."""
        programmes = await self.programmes.versions(tx, {tenant for tenant, _ in keys})
        orders = await self.orders.lock(tx, keys.keys())
        bought = {_order_key(event) for event in events if isinstance(event.event, PurchaseCompleted)}
        again = [orders[key] for key in bought if key in orders and orders[key].purchase_id is not None]
        if again:
            await self.orders.load_cancellations(tx, again)
        overtaken = [key for key in bought if key in orders and _may_have_waiting(orders[key])]
        waiting = await self._waiting(tx, overtaken) if overtaken else {}
        large = large_purchases(events, programmes)
        earned = await self.wallets.earned_in_all(tx, large) if large else {}
        fold = OrderFold(programmes, orders, waiting, earned)
        for event in events:
            if isinstance(event.event, OrderEvent):
                fold.fold(event)
        await self.orders.save(tx, fold.new.values(), fold.changed.values())
        await self.orders.record_returns(tx, fold.returns)
        return fold

    async def _waiting(self, tx: Transaction, keys: Collection[OrderKey]) -> dict[OrderKey, list[Incoming]]:
        """What waits for these orders."""
        waiting = await self.waiting.of_orders(tx, keys)
        known: Known = await self.erasures.find(tx, named_in([each for some in waiting.values() for each in some]))
        return {key: without_names(events, known) for key, events in waiting.items()} if known else waiting

    async def _lock_wallets(self, tx: Transaction, movements: Sequence[Movement]) -> dict[CustomerKey, Wallet]:
        """The wallets with the lots that the movements need."""
        heard: dict[CustomerKey, datetime] = {}
        for each in movements:
            heard.setdefault((each.event.tenant, each.customer_id), each.event.envelope.time)
        if not heard:
            return {}
        wallets = await self.wallets.lock(tx, heard)
        needed = lots_needed(movements, wallets)
        if needed:
            await self.wallets.load_lots_by_id(tx, [(need.wallet, need.lot_id) for need in needed])
            short = short_of_points(needed)
            if short:
                await self.wallets.load_lots(tx, short)
        return wallets

    async def _settle_waiting(self, tx: Transaction, fold: OrderFold, outcomes: dict[UUID, Outcome]) -> None:
        """Keep the returns that came too early, and note what became of those whose purchase has come."""
        early = [(key, event) for key, events in fold.early.items() for event in events]
        outcomes.update((event.id, _EARLY) for _, event in early)
        if early:
            await self.waiting.keep(tx, early)
        if fold.waited:
            await self.waiting.decide(tx, [(each.tenant, each.id, outcomes[each.id]) for each in fold.waited])


def _may_have_waiting(order: Order) -> bool:
    return order.purchase_id is None or order.reinstatable


def _order_key(event: Incoming) -> OrderKey:
    assert isinstance(event.event, OrderEvent)  # noqa: S101 - the callers have looked
    return event.tenant, event.event.order_id


def heard_of(events: Sequence[Incoming], movements: Sequence[Movement]) -> dict[CustomerKey, datetime]:
    """Who has a profile or a consent, bought something that was accepted, gave feedback or did something, and when that
    was first received. A return speaks of an earlier purchase: it makes nobody known."""
    heard: dict[CustomerKey, datetime] = {}
    did = [
        (event, event.event.customer_id)
        for event in events
        if isinstance(event.event, (CustomerUpdated, ConsentStated, FeedbackSubmitted, ActivityRecorded))
    ]
    for event, customer_id in [
        *did,
        *((each.event, each.customer_id) for each in movements if each.programme is not None),
    ]:
        heard.setdefault((event.tenant, customer_id), event.envelope.time)
    return heard
