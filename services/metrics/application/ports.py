"""What the application needs of the outside. Every method works inside one open transaction."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from services.metrics.domain.customers import CustomerKey, CustomerState, DaySums
from services.metrics.domain.feedback import Answer
from services.metrics.domain.orders import Order, OrderKey, Refund
from services.metrics.domain.programme import Programme
from services.metrics.domain.sums import CustomerDay, Sums, TenantDay


class Programmes(Protocol):
    """Tenants' programmes."""

    async def find(self, tenants: Iterable[str]) -> dict[str, Programme]:
        """Those that are known, by tenant."""
        ...

    async def keep_newest(self, programmes: Sequence[Programme]) -> None:
        """Remember these where they are newer than what is known."""
        ...


class Orders(Protocol):
    """Orders and refunds."""

    async def lock(self, keys: Iterable[OrderKey]) -> list[Order]:
        """Those that exist, locked in the order of their keys until the transaction ends."""
        ...

    async def refunds_of(self, keys: Sequence[OrderKey]) -> list[Refund]:
        """All refunds of these orders."""
        ...

    async def save(self, created: Iterable[Order], changed: Iterable[Order]) -> None:
        """Insert and update. Another transaction that creates the same order makes this one start over."""
        ...

    async def save_refunds(self, new: Iterable[Refund], settled: Sequence[Refund]) -> None:
        """Append refunds; note of those that waited what they turned out to be."""
        ...


class Customers(Protocol):
    """Customers' states, and the days below them."""

    async def lock(self, keys: Sequence[CustomerKey]) -> dict[CustomerKey, CustomerState]:
        """The states that exist, locked in the order of their keys until the transaction ends."""
        ...

    async def add_days(self, changes: Mapping[CustomerDay, Sums], known: Container[CustomerKey]) -> None:
        """Add to customers' days; only customers who are `known` have any."""
        ...

    async def days_of(self, keys: Sequence[CustomerKey]) -> dict[CustomerKey, list[DaySums]]:
        """All days of these customers."""
        ...

    async def save(
        self, created: Mapping[CustomerKey, CustomerState], changed: Mapping[CustomerKey, CustomerState]
    ) -> None:
        """Insert and update. Another transaction that creates the same customer makes this one start over."""
        ...


class Totals(Protocol):
    """Tenants' days."""

    async def add(self, changes: Mapping[TenantDay, Sums]) -> None:
        """Add to tenants' days."""
        ...


class Answers(Protocol):
    """Answers to surveys."""

    async def append(self, answers: Sequence[Answer]) -> None:
        """Keep them."""
        ...


class CustomerRecord(NamedTuple):
    """What an event said of a customer: its body, as it was received."""

    tenant: str
    customer: str
    received_at: datetime
    event_id: UUID
    type: str
    body: str


class Records(Protocol):
    """The bodies of customers' events."""

    async def append(self, records: Sequence[CustomerRecord]) -> None:
        """Keep them."""
        ...

    async def pseudonymise(self, tenant: str, customer: str, pseudonym: str, at: datetime) -> None:
        """Figures are the pseudonym's from now on; the records are gone."""
        ...


class Store(Protocol):
    """All of it in one transaction."""

    programmes: Programmes
    orders: Orders
    customers: Customers
    totals: Totals
    answers: Answers
    records: Records
