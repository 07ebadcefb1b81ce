"""Returns that overtook their purchase: kept whole, and taken up when it comes as if they had just come themselves.

The inbox cannot say what became of them, since it is only written once; this table can.
"""

import json
from collections.abc import Collection, Sequence
from uuid import UUID

from services.points.application.ports import OrderKey
from shared.db.transaction import Transaction
from shared.messaging.incoming import Incoming, Outcome, RawRecord, headers_json, headers_of, read

_OF_ORDERS = """
    SELECT w.tenant, w.order_id, w.topic, w.part, w.off, w.record_key, w.value, w.headers, w.record_time
    FROM unnest($1::text[], $2::text[]) AS wanted (tenant, order_id)
    JOIN waiting_return w USING (tenant, order_id) WHERE w.decided_at IS NULL
"""
_COLUMNS = (
    "tenant", "event_id", "order_id", "topic", "part", "off", "record_key", "value", "headers", "record_time",
    "arrived_at",
)  # fmt: skip
_DECIDE = """
    UPDATE waiting_return AS w SET outcome = d.outcome, reason = d.reason, effects = d.effects::jsonb, decided_at = $6
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[])
        AS d (tenant, event_id, outcome, reason, effects)
    WHERE w.tenant = d.tenant AND w.event_id = d.event_id
"""


class WaitingReturnTable:
    """The table `waiting_return`."""

    async def of_orders(self, tx: Transaction, keys: Collection[OrderKey]) -> dict[OrderKey, list[Incoming]]:
        tenants, order_ids = zip(*sorted(keys), strict=True)
        found: dict[OrderKey, list[Incoming]] = {}
        for row in await tx.raw.fetch(_OF_ORDERS, tenants, order_ids):
            raw = RawRecord(
                row["topic"], row["part"], row["off"], row["record_key"].encode(), row["value"],
                headers_of(row["headers"]), row["record_time"],
            )  # fmt: skip
            event = read(raw, lambda _: True)
            if not isinstance(event, Incoming):
                raise TypeError(f"waiting return at {raw.topic}/{raw.part}/{raw.offset} cannot be read: {event}")
            found.setdefault((row["tenant"], row["order_id"]), []).append(event)
        return found

    async def keep(self, tx: Transaction, events: Sequence[tuple[OrderKey, Incoming]]) -> None:
        rows = [
            (
                tenant, event.id, order_id, event.raw.topic, event.raw.part, event.raw.offset, event.key,
                event.raw.value, headers_json(event.raw.headers), event.raw.timestamp, tx.now,
            )
            for (tenant, order_id), event in events
        ]  # fmt: skip
        await tx.raw.copy_records_to_table("waiting_return", records=rows, columns=_COLUMNS)

    async def decide(self, tx: Transaction, outcomes: Sequence[tuple[str, UUID, Outcome]]) -> None:
        rows = [
            (tenant, event_id, outcome.status, outcome.reason, json.dumps(outcome.effects, default=str))
            for tenant, event_id, outcome in outcomes
        ]
        await tx.raw.execute(_DECIDE, *zip(*rows, strict=True), tx.now)
