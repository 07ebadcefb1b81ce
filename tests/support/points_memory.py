"""The application's ports in memory, so that its laws can be tried thousands of times. What a transaction would roll
back is not rolled back here: these tests never fail a batch."""

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from services.points.application.ports import CustomerKey, OrderKey, OrderReturn, Origin
from services.points.application.posting import PostEvents
from services.points.domain.ledger import Allocation, Entry, EntryKind, Lot
from services.points.domain.order import Cancelled, Order
from services.points.domain.programme import Programme
from services.points.domain.wallet import Wallet
from shared.erasures import Erasure, ErasureTable
from shared.messaging.incoming import Effects, Incoming, Outcome
from tests.support.points import NOON

TX: Any = SimpleNamespace(now=NOON)


@dataclass
class Memory:
    """All tables of one tenant's points."""

    programmes: dict[str, list[Programme]]
    orders: dict[OrderKey, Order] = field(default_factory=dict)
    returns: list[OrderReturn] = field(default_factory=list)
    waiting: dict[OrderKey, list[Incoming]] = field(default_factory=dict)
    outcomes: dict[UUID, Outcome] = field(default_factory=dict)
    wallets: dict[CustomerKey, Wallet] = field(default_factory=dict)
    lots: dict[CustomerKey, dict[UUID, Lot]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)

    async def post(self, events: Sequence[Incoming]) -> Effects:
        """A batch, without the ids that were here before, as the inbox has it."""
        fresh = {event.id: event for event in events if event.id not in self.outcomes}
        ports = (
            MemoryProgrammes(self), MemoryOrders(self), MemoryWaiting(self), MemoryWallets(self), MemoryErasures(),
        )  # fmt: skip
        effects = await PostEvents(*ports)(TX, list(fresh.values()))
        self.outcomes |= {event_id: effects.of(event_id) for event_id in fresh}
        return effects


@dataclass
class MemoryProgrammes:
    memory: Memory

    async def versions(self, tx: object, tenants: Collection[str]) -> Mapping[str, Sequence[Programme]]:
        return {tenant: self.memory.programmes[tenant] for tenant in tenants if tenant in self.memory.programmes}

    async def newest(self, tx: object, tenant: str) -> Programme | None:
        return self.memory.programmes[tenant][-1]

    async def publish(self, tx: object, tenant: str, programme: Programme, published_by: str) -> None:
        self.memory.programmes.setdefault(tenant, []).append(programme)


@dataclass
class MemoryOrders:
    memory: Memory

    async def lock(self, tx: object, keys: Collection[OrderKey]) -> dict[OrderKey, Order]:
        return {key: copy.deepcopy(self.memory.orders[key]) for key in keys if key in self.memory.orders}

    async def save(self, tx: object, new: Iterable[Order], changed: Iterable[Order]) -> None:
        for order in new:
            assert (order.tenant, order.order_id) not in self.memory.orders
            self.memory.orders[order.tenant, order.order_id] = _kept(order)
        for order in changed:
            assert (order.tenant, order.order_id) in self.memory.orders
            self.memory.orders[order.tenant, order.order_id] = _kept(order)

    async def load_cancellations(self, tx: object, orders: Sequence[Order]) -> None:
        for order in orders:
            key = (order.tenant, order.order_id)
            mine = [each for each in self.memory.returns if (each.tenant, each.order_id) == key]
            if order.cancelled:
                of_it = [each for each in mine if each.cancels or each.reinstates]
                order.cancellation = Cancelled(sum(each.minor for each in of_it), sum(each.points for each in of_it))

    async def record_returns(self, tx: object, returns: Sequence[OrderReturn]) -> None:
        self.memory.returns += returns


@dataclass
class MemoryWaiting:
    memory: Memory

    async def of_orders(self, tx: object, keys: Collection[OrderKey]) -> dict[OrderKey, list[Incoming]]:
        return {key: list(self.memory.waiting[key]) for key in keys if key in self.memory.waiting}

    async def keep(self, tx: object, events: Sequence[tuple[OrderKey, Incoming]]) -> None:
        for key, event in events:
            self.memory.waiting.setdefault(key, []).append(event)

    async def decide(self, tx: object, outcomes: Sequence[tuple[str, UUID, Outcome]]) -> None:
        decided = {event_id: outcome for _, event_id, outcome in outcomes}
        self.memory.outcomes |= decided
        for events in self.memory.waiting.values():
            events[:] = [event for event in events if event.id not in decided]


@dataclass
class MemoryWallets:
    memory: Memory

    async def lock(self, tx: object, keys: Mapping[CustomerKey, datetime]) -> dict[CustomerKey, Wallet]:
        known = {key: self.memory.wallets[key] for key in keys if key in self.memory.wallets}
        fresh = {key: Wallet(*key, known_since=at) for key, at in keys.items() if key not in known}
        return {key: _bare(wallet) for key, wallet in known.items()} | fresh

    async def load_lots(self, tx: object, wallets: Sequence[Wallet]) -> None:
        for wallet in wallets:
            lots = self.memory.lots.get((wallet.tenant, wallet.customer_id), {})
            wallet.lots |= {lot.id: replace(lot) for lot in lots.values() if lot.free}

    async def load_lots_by_id(self, tx: object, lots: Sequence[tuple[Wallet, UUID]]) -> None:
        for wallet, lot_id in lots:
            stored = self.memory.lots.get((wallet.tenant, wallet.customer_id), {}).get(lot_id)
            if stored is not None:
                wallet.lots[lot_id] = replace(stored)

    async def save(self, tx: object, wallets: Sequence[Wallet]) -> None:
        for wallet in wallets:
            key = (wallet.tenant, wallet.customer_id)
            self.memory.entries += wallet.entries
            self.memory.allocations += wallet.allocations
            stored = self.memory.lots.setdefault(key, {})
            stored |= {lot.id: replace(lot) for lot in (*wallet.new_lots, *wallet.touched.values())}
            self.memory.wallets[key] = _bare(wallet)

    async def earned_in_all(self, tx: object, keys: Collection[CustomerKey]) -> dict[CustomerKey, int]:
        found = dict.fromkeys(keys, 0)
        for entry in self.memory.entries:
            if entry.kind is EntryKind.EARNED and (entry.tenant, entry.customer_id) in found:
                found[entry.tenant, entry.customer_id] += entry.points
        return found

    async def welcome(self, tx: object, strangers: Mapping[CustomerKey, datetime]) -> None:
        for key in strangers:
            self.memory.wallets.setdefault(key, Wallet(*key))

    async def pseudonymise(self, tx: object, key: CustomerKey, pseudonym: str, at: datetime) -> None:
        raise NotImplementedError

    async def rejoin(self, tx: object, key: CustomerKey) -> None:
        raise NotImplementedError

    async def due(self, tx: object, now: datetime, limit: int) -> list[CustomerKey]:
        return []

    async def due_lots(self, tx: object, wallet: Wallet, now: datetime) -> list[tuple[Lot, Origin]]:
        return []

    async def schedule_next_activation(self, tx: object, keys: Collection[CustomerKey]) -> None:
        pass


class MemoryErasures(ErasureTable):
    """Nobody is erased here."""

    async def lock(self, tx: object, *, alone: bool) -> None:
        pass

    async def find(self, tx: object, keys: Collection[CustomerKey]) -> dict[CustomerKey, list[Erasure]]:
        return {}


def _kept(order: Order) -> Order:
    """Without what the table of orders does not hold."""
    kept = copy.deepcopy(order)
    kept.cancellation = None
    return kept


def _bare(wallet: Wallet) -> Wallet:
    """As it stands, without what has happened to it."""
    return replace(wallet, lots={}, entries=[], new_lots=[], touched={}, allocations=[], known_since=None)
