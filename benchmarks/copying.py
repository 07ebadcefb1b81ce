"""The limit of everything that writes: the very same rows by binary COPY into the same tables with the same indexes,
2,000 events a transaction, made ready before the clock starts."""

import time
from io import BytesIO

import asyncpg

_PER_TRANSACTION = 2_000
# Which transaction a row belongs to, for each table: rows of an event go with it, customers with their first event,
# outbox rows as they come.
_CHUNKS = f"""
    CREATE TEMP TABLE chunk AS
    SELECT event_id, tenant, ((row_number() OVER (ORDER BY applied_at, topic, part, off)) - 1) / {_PER_TRANSACTION} AS chunk
    FROM inbox
"""  # noqa: E501
_POINTS = {
    "inbox": "SELECT t.* FROM inbox t JOIN chunk c USING (event_id, tenant) WHERE c.chunk = {} ORDER BY t.event_id",
    "purchase_order": "SELECT t.* FROM purchase_order t JOIN chunk c USING (event_id, tenant) WHERE c.chunk = {}"
    " ORDER BY t.order_id",
    "customer": "SELECT t.* FROM customer t JOIN first_chunk USING (tenant, customer_id) WHERE chunk = {}"
    " ORDER BY t.customer_id",
    "wallet": "SELECT t.* FROM wallet t JOIN first_chunk USING (tenant, customer_id) WHERE chunk = {}"
    " ORDER BY t.customer_id",
    "entry": "SELECT t.* FROM entry t JOIN chunk c USING (event_id, tenant) WHERE c.chunk = {} ORDER BY t.customer_id",
    "lot": "SELECT t.* FROM lot t JOIN chunk c ON c.event_id = t.id WHERE c.chunk = {} ORDER BY t.customer_id",
    "outbox": "SELECT * FROM outbox WHERE id * {chunks} / (SELECT max(id) + 1 FROM outbox) = {} ORDER BY id",
}
_FIRST_POINTS = """
    CREATE TEMP TABLE first_chunk AS
    SELECT e.tenant, e.customer_id, min(c.chunk) AS chunk FROM entry e JOIN chunk c USING (event_id, tenant) GROUP BY 1, 2
"""  # noqa: E501
_METRICS = {
    "inbox": _POINTS["inbox"],
    "shop_order": "SELECT t.* FROM shop_order t JOIN chunk c USING (event_id, tenant) WHERE c.chunk = {}"
    " ORDER BY t.order_id",
    "customer_state": "SELECT t.* FROM customer_state t JOIN first_chunk USING (tenant, customer) WHERE chunk = {}"
    " ORDER BY t.customer",
    "customer_day": "SELECT t.* FROM customer_day t JOIN first_chunk USING (tenant, customer) WHERE chunk = {}"
    " ORDER BY t.customer",
}
_FIRST_METRICS = """
    CREATE TEMP TABLE first_chunk AS
    SELECT o.tenant, o.customer, min(c.chunk) AS chunk FROM shop_order o JOIN chunk c USING (event_id, tenant) GROUP BY 1, 2
"""  # noqa: E501
_PLANS = {"points": (_POINTS, _FIRST_POINTS), "metrics": (_METRICS, _FIRST_METRICS)}

Chunk = list[tuple[str, bytes]]


async def rows_of(admin: str, service: str) -> list[Chunk]:
    """All rows that a service wrote, table by table, cut into transactions."""
    queries, first = _PLANS[service]
    connection = await asyncpg.connect(admin, server_settings={"search_path": f"{service}, pg_temp"})
    try:
        for statement in (_CHUNKS, first, "ANALYZE chunk", "ANALYZE first_chunk"):
            await connection.execute(statement)
        chunks = 1 + (await connection.fetchval("SELECT max(chunk) FROM chunk"))
        found: list[Chunk] = []
        for number in range(chunks):
            tables: Chunk = []
            for table, query in queries.items():
                taken = BytesIO()
                await connection.copy_from_query(
                    query.replace("{chunks}", str(chunks)).format(number), output=taken, format="binary"
                )
                tables.append((table, taken.getvalue()))
            found.append(tables)
        return found
    finally:
        await connection.close()


async def copy(app: str, chunks: list[Chunk]) -> float:
    """Seconds that it takes to copy them in, by the role that the service works with."""
    connection = await asyncpg.connect(app)
    try:
        started = time.monotonic()
        for tables in chunks:
            async with connection.transaction():
                for table, taken in tables:
                    await connection.copy_to_table(table, source=BytesIO(taken), format="binary")
        return time.monotonic() - started
    finally:
        await connection.close()
