"""The messages in Postgres: what the consumer and the customers' events do to them. Statements are bulk."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from services.notifications.application.ports import Key
from services.notifications.domain.message import Channel, Message, Purpose, Status
from shared.db.transaction import Transaction

# Everything that a Message is made of.
MESSAGE = """
    m.id, m.tenant, m.customer_id, m.cause_id, m.origin_id, m.template, m.channel, m.purpose, m.facts, m.status,
    m.reason, m.due_at, m.correlation_id, m.traceparent
"""
_ADDED = (
    "tenant", "id", "customer_id", "cause_id", "origin_id", "template", "channel", "purpose", "facts", "status",
    "reason", "due_at", "correlation_id", "traceparent", "created_at", "sent_at",
)  # fmt: skip
_RELEASE = """
    UPDATE message m SET status = 'queued', due_at = $3
    FROM unnest($1::text[], $2::text[]) AS ready (tenant, customer_id)
    WHERE m.tenant = ready.tenant AND m.customer_id = ready.customer_id AND m.status = 'waiting'
"""
# What is in a sender's hands keeps its status: the sender notes what becomes of it.
_SCRUB = """
    UPDATE message m SET facts = '{}', subject = NULL, text = NULL, html = NULL
    FROM unnest($1::text[], $2::text[]) AS gone (tenant, customer_id)
    WHERE m.tenant = gone.tenant AND m.customer_id = gone.customer_id
"""
_SKIP_UNSENT = f"""
    UPDATE message m SET status = 'skipped', reason = 'erased', due_at = NULL
    FROM unnest($1::text[], $2::text[]) AS gone (tenant, customer_id)
    WHERE m.tenant = gone.tenant AND m.customer_id = gone.customer_id AND m.status IN ('waiting', 'queued')
    RETURNING {MESSAGE}
"""  # noqa: S608 - made of constants
_GIVE_UP = f"""
    UPDATE message m SET status = 'skipped', reason = 'no_profile', due_at = NULL
    FROM (
        SELECT tenant, id FROM message WHERE status = 'waiting' AND due_at <= clock_timestamp()
        ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ) AS late WHERE m.tenant = late.tenant AND m.id = late.id
    RETURNING {MESSAGE}
"""  # noqa: S608 - made of constants
_TOLD_MAX = 100
_TOLD_OF = f"""
    SELECT m.* FROM unnest($1::text[], $2::text[]) AS asked (tenant, customer_id) CROSS JOIN LATERAL (
        SELECT {MESSAGE} FROM message m
        WHERE (m.tenant, m.customer_id) = (asked.tenant, asked.customer_id) AND m.template = $3
            AND m.status <> 'skipped'
        ORDER BY m.seq DESC LIMIT {_TOLD_MAX}
    ) AS m
"""  # noqa: S608 - made of constants
_encode = msgspec.json.Encoder().encode


class MessageTable:
    """The part of the port Messages that events need."""

    async def add(self, tx: Transaction, messages: Sequence[Message]) -> None:
        rows = [_row(message, tx.now) for message in messages]
        if rows:
            await tx.raw.copy_records_to_table("message", records=rows, columns=_ADDED)

    async def release(self, tx: Transaction, keys: Collection[Key]) -> None:
        if keys:
            await tx.raw.execute(_RELEASE, *_columns(keys), tx.now)

    async def forget(self, tx: Transaction, keys: Collection[Key]) -> list[Message]:
        if not keys:
            return []
        rows = await tx.raw.fetch(_SKIP_UNSENT, *_columns(keys))
        await tx.raw.execute(_SCRUB, *_columns(keys))
        return [message_of(row) for row in rows]

    async def told_of(self, tx: Transaction, keys: Collection[Key], template: str) -> list[Message]:
        return [message_of(row) for row in await tx.raw.fetch(_TOLD_OF, *_columns(keys), template)]

    async def give_up_waiting(self, tx: Transaction, limit: int) -> list[Message]:
        return [message_of(row) for row in await tx.raw.fetch(_GIVE_UP, limit)]


def message_of(row: Mapping[str, Any]) -> Message:
    """A row of the columns MESSAGE."""
    return Message(
        id=row["id"], tenant=row["tenant"], customer_id=row["customer_id"], cause_id=row["cause_id"],
        origin_id=row["origin_id"], template=row["template"], channel=Channel(row["channel"]),
        purpose=Purpose(row["purpose"]), facts=row["facts"], status=Status(row["status"]), reason=row["reason"],
        due_at=row["due_at"], correlation_id=row["correlation_id"], traceparent=row["traceparent"],
    )  # fmt: skip


def _row(message: Message, now: datetime) -> tuple[Any, ...]:
    due_at = now if message.status is Status.QUEUED else message.due_at
    return (
        message.tenant, message.id, message.customer_id, message.cause_id, message.origin_id, message.template,
        message.channel, message.purpose, _encode(message.facts).decode(), message.status, message.reason, due_at,
        message.correlation_id, message.traceparent, now, now if message.status is Status.SENT else None,
    )  # fmt: skip


def _columns(keys: Collection[Key]) -> tuple[list[str], list[str]]:
    return [tenant for tenant, _ in keys], [customer for _, customer in keys]
