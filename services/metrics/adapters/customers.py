"""The tables customer_state and customer_day."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence

from services.metrics.domain.customers import CustomerKey, CustomerState, DaySums
from services.metrics.domain.sums import CustomerDay, Sums
from shared.db import columns
from shared.db.transaction import Transaction

_KEY = (columns.texts, columns.texts)
_DAY: tuple[columns.Kind, ...] = (*_KEY, columns.times, *[columns.numbers] * 3)
_DAY_COLUMNS = ("tenant", "customer", "business_date", "orders", "gross_minor", "refunded_minor")
_STATE = (
    "tenant", "customer", "first_day", "second_day", "last_day", "days", "orders", "gross_minor", "refunded_minor",
)  # fmt: skip
_LOCK = f"""
    SELECT s.* FROM unnest($1::text::text[], $2::text::text[]) AS asked (tenant, customer) CROSS JOIN LATERAL (
        SELECT {", ".join(_STATE)} FROM customer_state s
        WHERE (s.tenant, s.customer) = (asked.tenant, asked.customer) FOR UPDATE
    ) AS s
"""  # noqa: S608 - our own column names
_UPDATE = """
    UPDATE customer_state s SET first_day = new.first_day, second_day = new.second_day, last_day = new.last_day,
        days = new.days, orders = new.orders, gross_minor = new.gross_minor, refunded_minor = new.refunded_minor
    FROM unnest($1::text::text[], $2::text::text[], $3::text::date[], $4::text::date[], $5::text::date[],
        $6::text::int[], $7::text::int[], $8::text::bigint[], $9::text::bigint[])
        AS new (tenant, customer, first_day, second_day, last_day, days, orders, gross_minor, refunded_minor)
    WHERE (s.tenant, s.customer) = (new.tenant, new.customer)
"""
_KNOWN_DAYS = """
    SELECT d.* FROM unnest($1::text::text[], $2::text::text[], $3::text::date[]) AS asked (tenant, customer, day)
    CROSS JOIN LATERAL (
        SELECT tenant, customer, business_date FROM customer_day d
        WHERE (d.tenant, d.customer, d.business_date) = (asked.tenant, asked.customer, asked.day) OFFSET 0
    ) AS d
"""
_ADD_TO_DAYS = """
    UPDATE customer_day known SET orders = known.orders + more.orders,
        gross_minor = known.gross_minor + more.gross_minor,
        refunded_minor = known.refunded_minor + more.refunded_minor
    FROM unnest($1::text::text[], $2::text::text[], $3::text::date[], $4::text::int[], $5::text::bigint[],
        $6::text::bigint[]) AS more (tenant, customer, business_date, orders, gross_minor, refunded_minor)
    WHERE (known.tenant, known.customer, known.business_date) = (more.tenant, more.customer, more.business_date)
"""
_DAYS_OF = """
    SELECT d.* FROM unnest($1::text::text[], $2::text::text[]) AS asked (tenant, customer) CROSS JOIN LATERAL (
        SELECT tenant, customer, business_date, orders, gross_minor, refunded_minor FROM customer_day d
        WHERE (d.tenant, d.customer) = (asked.tenant, asked.customer) OFFSET 0
    ) AS d
"""


class CustomerTable:
    """Customers' states and days in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._db = tx.raw

    async def lock(self, keys: Sequence[CustomerKey]) -> dict[CustomerKey, CustomerState]:
        """The states that exist, locked in the order of their keys until the transaction ends."""
        rows = await self._db.fetch(_LOCK, *columns.of(sorted(keys), *_KEY))
        return {(row[0], row[1]): CustomerState(*row[2:]) for row in rows}

    async def add_days(self, changes: Mapping[CustomerDay, Sums], known: Container[CustomerKey]) -> None:
        """Add to customers' days. Only who is `known`, and locked, has any; a customer whom another transaction makes
        known meanwhile raises UniqueViolationError: the batch is then done again, and finds them."""
        asked = [key for key in changes if key[:2] in known]
        rows = await self._db.fetch(_KNOWN_DAYS, *columns.of(asked, *_KEY, columns.times)) if asked else ()
        there = {(row[0], row[1], row[2]) for row in rows}
        new: list[tuple[object, ...]] = []
        more: list[tuple[object, ...]] = []
        for key, s in sorted(changes.items(), key=_by_key):
            (more if key in there else new).append((*key, s.orders, s.gross_minor, s.refunded_minor))
        if new:
            await self._db.copy_records_to_table("customer_day", records=new, columns=_DAY_COLUMNS)
        if more:
            await self._db.execute(_ADD_TO_DAYS, *columns.of(more, *_DAY))

    async def days_of(self, keys: Sequence[CustomerKey]) -> dict[CustomerKey, list[DaySums]]:
        """All days of these customers."""
        found: defaultdict[CustomerKey, list[DaySums]] = defaultdict(list)
        for tenant, customer, day, *sums in await self._db.fetch(_DAYS_OF, *columns.of(keys, *_KEY)):
            found[tenant, customer].append((day, Sums(*sums)))
        return found

    async def save(
        self, created: Mapping[CustomerKey, CustomerState], changed: Mapping[CustomerKey, CustomerState]
    ) -> None:
        """Insert and update. Raises UniqueViolationError when another transaction created the same customer: the batch
        is then done again, and finds them."""
        if created:
            rows = [_row(*each) for each in sorted(created.items(), key=lambda item: item[0])]
            await self._db.copy_records_to_table("customer_state", records=rows, columns=_STATE)
        if changed:
            rows = [_row(*each) for each in changed.items()]
            await self._db.execute(_UPDATE, *columns.of(rows, *_KEY, *[columns.times] * 3, *[columns.numbers] * 4))


def _row(key: CustomerKey, s: CustomerState) -> tuple[object, ...]:
    return (*key, s.first_day, s.second_day, s.last_day, s.days, s.orders, s.gross_minor, s.refunded_minor)


def _by_key(item: tuple[CustomerDay, Sums]) -> CustomerDay:
    return item[0]
