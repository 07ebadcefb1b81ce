"""Erased customers: who an id stands for at which instant, the same in every service.

An erasure ends a life of a customer id. What belongs to that life is kept under a pseudonym, which no caller can name:
its first letter stands in no customer id. Until the id rejoins, nobody has it; from then on it is somebody new.

The customer's own events are judged in the order of the log. Events of other topics overtake them, so these are judged
by when the platform received them, whatever came first.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from shared.auth.principal import PSEUDONYM_MARK
from shared.db import columns
from shared.db.transaction import Transaction
from shared.events.contract import Event
from shared.events.customers import CustomerErased, CustomerUpdated
from shared.messaging.incoming import Outcome

CustomerKey = tuple[str, str]
ERASED_CODE: Final = "customer_erased"
REFUSED: Final = Outcome("rejected", ERASED_CODE)

# The statements are frozen: a later change is a new function and a new migration.
_TABLE_V1 = """
    CREATE TABLE erasure (
        tenant text NOT NULL, customer_id text NOT NULL, number integer NOT NULL,
        pseudonym text NOT NULL, erased_at timestamptz NOT NULL, rejoined_at timestamptz,
        CONSTRAINT pk_erasure PRIMARY KEY (tenant, customer_id, number),
        CONSTRAINT ck_erasure_order CHECK (rejoined_at >= erased_at)
    )
"""
# Whose an order was judged to be where an erasure made the difference: an event may overtake the erasure, or the
# rejoining, by which it would have been judged. A replay uses the record.
_ORDERS_V1 = """
    CREATE TABLE erased_order (
        tenant text NOT NULL, event_id uuid NOT NULL, customer_id text,
        CONSTRAINT pk_erased_order PRIMARY KEY (event_id, tenant)
    )
"""
_FIND = """
    SELECT e.* FROM unnest($1::text::text[], $2::text::text[]) AS asked (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT tenant, customer_id, number, pseudonym, erased_at, rejoined_at FROM erasure e
        WHERE (e.tenant, e.customer_id) = (asked.tenant, asked.customer_id) OFFSET 0
    ) AS e ORDER BY e.number
"""
_BEGIN = """
    INSERT INTO erasure (tenant, customer_id, number, pseudonym, erased_at) VALUES ($1, $2, $3, $4, $5)
"""
_END = "UPDATE erasure SET rejoined_at = $4 WHERE tenant = $1 AND customer_id = $2 AND number = $3"
_JUDGED = "SELECT tenant, event_id, customer_id FROM erased_order WHERE event_id = any($1::uuid[])"
_JUDGE = """
    INSERT INTO erased_order SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[]) ON CONFLICT DO NOTHING
"""
_LOCK = "SELECT pg_advisory_xact_lock{shared}(hashtext('treue.erasure'), hashtext(current_schema()))"


@dataclass(frozen=True, slots=True)
class Erasure:
    """The end of a life of a customer id, and when the id began another one, if it did."""

    number: int
    pseudonym: str
    erased_at: datetime
    rejoined_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Who an event's customer id meant: the id itself, or the pseudonym of a former life. `erased`: the id was nobody's
    then."""

    customer_id: str
    erased: bool = False


def create_erasure_v1(execute: Callable[[str], object], role: str) -> None:
    """The table of erasures, in the current schema; `role` may use it."""
    execute(_TABLE_V1)
    execute(f"GRANT SELECT, INSERT, UPDATE (rejoined_at) ON erasure TO {role}")


def create_erased_order_v1(execute: Callable[[str], object], role: str) -> None:
    """The record of judged orders, for services that book them."""
    execute(_ORDERS_V1)
    execute(f"GRANT SELECT, INSERT ON erased_order TO {role}")


def pseudonym_of(tenant: str, customer_id: str, number: int) -> str:
    """The same in every service and every replay."""
    return PSEUDONYM_MARK + sha256(f"{tenant}\n{customer_id}\n{number}".encode()).hexdigest()[:32]


def is_pseudonym(customer_id: str) -> bool:
    """Whether this is no customer id, but what is left of one."""
    return customer_id.startswith(PSEUDONYM_MARK)


def owner_of(customer_id: str, erasures: Sequence[Erasure], received_at: datetime) -> Owner:
    """Who the id meant in an event that the platform received then."""
    for each in erasures:
        if received_at < each.erased_at:
            return Owner(each.pseudonym)
        if each.rejoined_at is None or received_at < each.rejoined_at:
            return Owner(each.pseudonym, erased=True)
    return Owner(customer_id)


def is_erased(erasures: Sequence[Erasure]) -> bool:
    """Whether the id is nobody's, as far as the customer's own events tell."""
    return bool(erasures) and erasures[-1].rejoined_at is None


def changes_lives(event: Event) -> bool:
    """Whether the event may end a life of its customer, or begin one."""
    return isinstance(event, CustomerErased) or (isinstance(event, CustomerUpdated) and event.rejoin)


def may_rejoin(event: Event, erasures: Sequence[Erasure]) -> bool:
    """Whether the erased id begins anew with this event. A profile of the time before the erasure, which comes late or
    again, brings nobody back."""
    return isinstance(event, CustomerUpdated) and event.rejoin and event.occurred_at >= erasures[-1].erased_at


class ErasureTable:
    """The erasures of one service's schema."""

    async def lock(self, tx: Transaction, *, alone: bool) -> None:
        """Until the transaction ends nobody is erased beside it; `alone`: and nothing else is booked either."""
        await tx.raw.execute(_LOCK.format(shared="" if alone else "_shared"))

    async def find(self, tx: Transaction, keys: Collection[CustomerKey]) -> dict[CustomerKey, list[Erasure]]:
        """The erasures of these customers in their order; most customers have none and are missing."""
        if not keys:
            return {}
        found: defaultdict[CustomerKey, list[Erasure]] = defaultdict(list)
        for row in await tx.raw.fetch(_FIND, *columns.of(sorted(keys), columns.texts, columns.texts)):
            found[row[0], row[1]].append(Erasure(*row[2:]))
        return dict(found)

    async def begin(self, tx: Transaction, key: CustomerKey, known: Sequence[Erasure], at: datetime) -> Erasure:
        """End the life that the id has, after those that are known."""
        number = len(known) + 1
        last = known[-1].rejoined_at if known else None
        made = Erasure(number, pseudonym_of(*key, number), max(at, last) if last else at)
        await tx.raw.execute(_BEGIN, *key, number, made.pseudonym, made.erased_at)
        return made

    async def end(self, tx: Transaction, key: CustomerKey, last: Erasure, at: datetime) -> Erasure:
        """The id rejoins: it is somebody new."""
        rejoined_at = max(at, last.erased_at)
        await tx.raw.execute(_END, *key, last.number, rejoined_at)
        return Erasure(last.number, last.pseudonym, last.erased_at, rejoined_at)

    async def judged_orders(
        self, tx: Transaction, events: Collection[tuple[str, UUID]]
    ) -> dict[tuple[str, UUID], str | None]:
        """Whose these events' orders were judged to be, as far as it stands on record."""
        rows = await tx.raw.fetch(_JUDGED, [event_id for _, event_id in events])
        return {(row["tenant"], row["event_id"]): row["customer_id"] for row in rows}

    async def judge_orders(self, tx: Transaction, judged: Mapping[tuple[str, UUID], str | None]) -> None:
        """Put it on record."""
        if judged:
            rows = [(*event, customer_id) for event, customer_id in sorted(judged.items(), key=lambda each: each[0])]
            await tx.raw.execute(_JUDGE, *map(list, zip(*rows, strict=True)))
