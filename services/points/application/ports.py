"""What the application needs of the database. A transaction is always the caller's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.points.domain.ledger import Lot
from services.points.domain.order import Order
from services.points.domain.programme import Programme
from services.points.domain.wallet import Wallet
from shared.db.transaction import Transaction
from shared.messaging.incoming import Incoming, Outcome

OrderKey = tuple[str, str]
"""Tenant and order id."""

CustomerKey = tuple[str, str]
"""Tenant and customer id."""


@dataclass(frozen=True, slots=True)
class OrderReturn:
    """What came back of an order by one event, and how many points that took. What a purchase that came again gave back
    is negative (`reinstates`)."""

    tenant: str
    order_id: str
    event_id: UUID
    minor: int
    points: int
    cancels: bool
    occurred_at: datetime
    reinstates: bool = False


class Programmes(Protocol):
    """The published versions."""

    async def versions(self, tx: Transaction, tenants: Collection[str]) -> Mapping[str, Sequence[Programme]]:
        """All versions of these tenants, ascending; a tenant without a programme is missing."""
        ...

    async def lock(self, tx: Transaction, tenant: str) -> None:
        """Nobody else publishes for this tenant until the transaction ends."""
        ...

    async def newest(self, tx: Transaction, tenant: str) -> Programme | None:
        """The newest version."""
        ...

    async def publish(self, tx: Transaction, tenant: str, programme: Programme, published_by: str) -> None:
        """Add a version."""
        ...


class Orders(Protocol):
    """Orders and what came back of them."""

    async def lock(self, tx: Transaction, keys: Collection[OrderKey]) -> dict[OrderKey, Order]:
        """Those of them that are known, locked in the order of their keys."""
        ...

    async def save(self, tx: Transaction, new: Iterable[Order], changed: Iterable[Order]) -> None:
        """Raises UniqueViolationError when another transaction came to know one of the new ones meanwhile: the batch
        is then done again and finds it."""
        ...

    async def load_cancellations(self, tx: Transaction, orders: Sequence[Order]) -> None:
        """Tell these orders what their cancellation took, if it stands."""
        ...

    async def record_returns(self, tx: Transaction, returns: Sequence[OrderReturn]) -> None:
        """Keep what came back."""
        ...


class WaitingReturns(Protocol):
    """Returns that overtook their purchase."""

    async def of_orders(self, tx: Transaction, keys: Collection[OrderKey]) -> dict[OrderKey, list[Incoming]]:
        """What still waits for these orders, which the caller has locked."""
        ...

    async def keep(self, tx: Transaction, events: Sequence[tuple[OrderKey, Incoming]]) -> None:
        """Have these wait."""
        ...

    async def decide(self, tx: Transaction, outcomes: Sequence[tuple[str, UUID, Outcome]]) -> None:
        """Note what became of them, by tenant and event id."""
        ...


class Wallets(Protocol):
    """Customers, their wallets and the ledger."""

    async def lock(self, tx: Transaction, keys: Mapping[CustomerKey, datetime]) -> dict[CustomerKey, Wallet]:
        """Their wallets without lots, locked in the order of their keys; a fresh one for a customer not yet known, who
        was first heard of at the time given."""
        ...

    async def load_lots(self, tx: Transaction, wallets: Sequence[Wallet]) -> None:
        """Give each of these wallets all its lots that hold free points."""
        ...

    async def load_lots_by_id(self, tx: Transaction, lots: Sequence[tuple[Wallet, UUID]]) -> None:
        """Give these wallets just these lots."""
        ...

    async def save(self, tx: Transaction, wallets: Sequence[Wallet]) -> None:
        """Write what happened to them: entries, lots, allocations, and how they stand now.

        Raises UniqueViolationError when another transaction made one of the fresh ones meanwhile."""
        ...

    async def earned_in_all(self, tx: Transaction, keys: Collection[CustomerKey]) -> dict[CustomerKey, int]:
        """What these customers' purchases have earned since ever, whatever became of it: the sum of many entries."""
        ...

    async def welcome(self, tx: Transaction, strangers: Mapping[CustomerKey, datetime]) -> None:
        """Customers who may be unknown are so no more, since the time given; their wallets are not locked."""
        ...

    async def pseudonymise(self, tx: Transaction, key: CustomerKey, pseudonym: str, at: datetime) -> None:
        """All that there is of an erased customer is the pseudonym's from now on, and the id is nobody's."""
        ...

    async def rejoin(self, tx: Transaction, key: CustomerKey) -> None:
        """The erased id is somebody's again, with an empty wallet."""
        ...

    async def due(self, tx: Transaction, now: datetime, limit: int) -> list[CustomerKey]:
        """Wallets with points to activate, the longest overdue first; not locked."""
        ...

    async def due_lots(self, tx: Transaction, wallet: Wallet, now: datetime) -> list[tuple[Lot, "Origin"]]:
        """A locked wallet's lots to activate, with where they came from, oldest first."""
        ...

    async def schedule_next_activation(self, tx: Transaction, keys: Collection[CustomerKey]) -> None:
        """Set when the next of these locked wallets' pending lots is due, from the lots as they now are."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """The credit that filled a lot."""

    event_id: UUID
    order_id: str | None
    programme_version: int
