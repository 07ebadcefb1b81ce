"""The messages as the senders' queue: claimed under a lease, settled by whoever holds the newest claim."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.notifications.adapters.messages import MESSAGE, MessageTable, message_of
from services.notifications.application.ports import Content, Due, Mail
from services.notifications.domain.delivery import Answer, Consequence
from services.notifications.domain.message import Message, Reason
from shared.db.transaction import Transaction

_ANYTHING = """
    SELECT EXISTS (SELECT FROM message WHERE status IN ('queued', 'sending') AND due_at <= clock_timestamp())
"""
_DUE = f"""
    SELECT {MESSAGE}, m.claims, m.attempts, m.created_at, m.locale, m.subject, m.text, m.html,
        m.message_id_header
    FROM message m WHERE m.status IN ('queued', 'sending') AND m.due_at <= clock_timestamp()
    ORDER BY m.due_at LIMIT $1 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - made of constants
_SKIP = """
    UPDATE message m SET status = 'skipped', reason = no.reason, due_at = NULL
    FROM unnest($1::text[], $2::uuid[], $3::text[]) AS no (tenant, id, reason)
    WHERE m.tenant = no.tenant AND m.id = no.id
"""
_FAIL = "UPDATE message SET status = 'failed', reason = $3, due_at = NULL WHERE tenant = $1 AND id = $2"
_TAKE = """
    UPDATE message m SET status = 'sending', claims = claims + 1, due_at = clock_timestamp() + $8::interval,
        claimed_at = $9, message_id_header = mail.header_id,
        locale = mail.locale, subject = mail.subject, text = mail.text, html = mail.html
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS mail (tenant, id, header_id, locale, subject, text, html)
    WHERE m.tenant = mail.tenant AND m.id = mail.id
"""
_SETTLE = """
    UPDATE message SET status = $4, reason = $5,
        due_at = CASE WHEN $4 = 'queued' THEN clock_timestamp() + $6::interval END,
        attempts = attempts + $7, sent_at = CASE WHEN $4 = 'sent' THEN clock_timestamp() END
    WHERE tenant = $1 AND id = $2 AND claims = $3 AND status = 'sending'
    RETURNING true
"""
_LOG = """
    INSERT INTO attempt (tenant, message_id, claim, stage, code, enhanced, outcome, ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
"""
_GIVE_BACK = """
    UPDATE message m SET status = 'queued', due_at = clock_timestamp()
    FROM unnest($1::text[], $2::uuid[], $3::int[]) AS mine (tenant, id, claims)
    WHERE m.tenant = mine.tenant AND m.id = mine.id AND m.claims = mine.claims AND m.status = 'sending'
"""


class MessageQueue(MessageTable):
    """The port Messages."""

    async def anything_due(self, tx: Transaction) -> bool:
        return bool(await tx.raw.fetchval(_ANYTHING))

    async def due(self, tx: Transaction, limit: int) -> list[Due]:
        return [_due(row) for row in await tx.raw.fetch(_DUE, limit)]

    async def skip(self, tx: Transaction, messages: Sequence[tuple[Message, Reason]]) -> None:
        if messages:
            columns = zip(*((each.tenant, each.id, reason) for each, reason in messages), strict=True)
            await tx.raw.execute(_SKIP, *map(list, columns))

    async def fail(self, tx: Transaction, message: Message, reason: str) -> None:
        await tx.raw.execute(_FAIL, message.tenant, message.id, reason)

    async def take(self, tx: Transaction, mails: Sequence[Mail], lease_s: float) -> None:
        if not mails:
            return
        rows = (
            (
                mail.due.message.tenant, mail.due.message.id, mail.header_id, mail.content.locale,
                mail.content.subject, mail.content.text, mail.content.html,
            )
            for mail in mails
        )  # fmt: skip
        await tx.raw.execute(_TAKE, *map(list, zip(*rows, strict=True)), timedelta(seconds=lease_s), tx.now)

    async def settle(self, tx: Transaction, mail: Mail, answer: Answer, consequence: Consequence) -> bool:
        message, claim = mail.due.message, mail.due.claims + 1
        mine = await tx.raw.fetchval(
            _SETTLE, message.tenant, message.id, claim, consequence.status, consequence.reason,
            timedelta(seconds=consequence.delay_s), int(consequence.counts),
        )  # fmt: skip
        if mine:
            await tx.raw.execute(
                _LOG, message.tenant, message.id, claim, answer.stage.value, answer.code, answer.enhanced,
                consequence.status,
            )  # fmt: skip
        return bool(mine)

    async def give_back(self, tx: Transaction, mails: Sequence[Mail]) -> None:
        if mails:
            rows = ((mail.due.message.tenant, mail.due.message.id, mail.due.claims + 1) for mail in mails)
            await tx.raw.execute(_GIVE_BACK, *map(list, zip(*rows, strict=True)))


def _due(row: Any) -> Due:
    text = row["text"]
    content = None
    if text is not None:
        content = Content(locale=row["locale"], subject=row["subject"], text=text, html=row["html"])
    return Due(message_of(row), row["claims"], row["attempts"], row["created_at"], content, row["message_id_header"])
