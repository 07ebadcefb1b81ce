"""What the HTTP side reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifications.adapters.messages import MESSAGE, message_of
from services.notifications.domain.message import Message
from shared.db.transaction import Transaction

_PAGE = f"""
    SELECT {MESSAGE}, m.seq, m.locale, m.subject, m.text, m.created_at, m.sent_at FROM message m
    WHERE m.tenant = $1 AND m.customer_id = $2 AND m.seq < $3 ORDER BY m.seq DESC LIMIT $4
"""  # noqa: S608 - made of constants
_CONSENTS = """
    SELECT seq, channel, purpose, granted, said_by, since, received_at, event_id, effective FROM consent
    WHERE tenant = $1 AND customer_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4
"""
NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A message in a list; `subject` and `text` are None until it is an e-mail's first attempt, or after an erasure."""

    seq: int
    message: Message
    locale: str | None
    subject: str | None
    text: str | None
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a customer's consents: who said what, when, and what held afterwards; `granted` None: an earlier
    release took a list that named others for taking this one back."""

    seq: int
    channel: str
    purpose: str
    granted: bool | None
    said_by: str
    since: datetime
    received_at: datetime
    event_id: UUID
    effective: bool | None


async def messages_page(tx: Transaction, tenant: str, customer_id: str, before: int, limit: int) -> list[Listed]:
    """Newest first, those before a position."""
    rows: Sequence[Any] = await tx.raw.fetch(_PAGE, tenant, customer_id, before, limit)
    return [
        Listed(
            row["seq"], message_of(row), row["locale"], row["subject"], row["text"], row["created_at"], row["sent_at"]
        )
        for row in rows
    ]


async def consents_page(tx: Transaction, tenant: str, customer_id: str, before: int, limit: int) -> list[Said]:
    """All that they ever said, newest first, before a position."""
    return [Said(*row) for row in await tx.raw.fetch(_CONSENTS, tenant, customer_id, before, limit)]
