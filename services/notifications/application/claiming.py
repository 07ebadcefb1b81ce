"""Taking what is due: the gate is asked once more, for what it said may have changed, and the words are made."""

from collections.abc import Sequence

from services.notifications.application.outgoing import announcement
from services.notifications.application.ports import Due, Key, Mail, Renderer, RenderError
from services.notifications.application.stores import Stores
from services.notifications.domain.customer import Customer
from services.notifications.domain.decision import decide
from services.notifications.domain.message import Message, Reason, Status
from services.notifications.domain.programme import Programme
from shared.db.transaction import Transaction
from shared.messaging import outbox
from shared.observability.logging import get_logger
from shared.observability.metrics import MESSAGES_FAILED, MESSAGES_SKIPPED

_log = get_logger(__name__)


class Claiming:
    """Hands out due messages, each to one sender, until its lease ends."""

    def __init__(self, stores: Stores, renderer: Renderer, *, lease_s: float, mail_domain: str) -> None:
        self._stores, self._renderer, self._lease_s, self._domain = stores, renderer, lease_s, mail_domain

    async def claim(self, tx: Transaction, limit: int) -> list[Mail]:
        """The mails that this sender is to send now. What must not be sent any more is skipped here."""
        due = await self._stores.messages.due(tx, limit)
        if not due:
            return []
        keys: set[Key] = {(each.message.tenant, each.message.customer_id) for each in due}
        customers = await self._stores.customers.load(tx, keys)
        programmes = await self._stores.customers.programmes(tx, {tenant for tenant, _ in keys})
        mails: list[Mail] = []
        skipped: list[tuple[Message, Reason]] = []
        for each in due:
            message = each.message
            customer = customers[message.tenant, message.customer_id]
            decision = decide(message.channel, message.purpose, customer)
            if decision.status is Status.QUEUED:
                mails += await self._mail(tx, each, customer, programmes[message.tenant])
            else:
                skipped.append((message, decision.reason or Reason.NO_PROFILE))
        await self._skip(tx, skipped)
        await self._stores.messages.take(tx, mails, self._lease_s)
        return mails

    async def give_up_waiting(self, tx: Transaction, limit: int) -> int:
        """Skip what waited in vain for a profile; returns how many."""
        skipped = await self._stores.messages.give_up_waiting(tx, limit)
        await outbox.append(tx, [announcement(each, Status.SKIPPED, each.reason, tx.now, tx.now) for each in skipped])
        MESSAGES_SKIPPED.labels(Reason.NO_PROFILE).inc(len(skipped))
        return len(skipped)

    async def _mail(self, tx: Transaction, due: Due, customer: Customer, programme: Programme) -> list[Mail]:
        message, profile = due.message, customer.profile
        try:
            content = due.content or self._renderer.mail(message.template, message.facts, profile, programme)
        except RenderError:
            # The template's fault, and every message's of its kind: it must not stop those of other kinds.
            _log.exception("message_not_renderable", template=message.template, message_id=message.id)
            await self._stores.messages.fail(tx, message, RenderError.code)
            MESSAGES_FAILED.labels(message.channel, RenderError.code).inc()
            return []
        header_id = due.header_id or f"<{message.id}@{self._domain}>"
        return [Mail(due, content, header_id, profile.email or "", programme.name)]

    async def _skip(self, tx: Transaction, skipped: Sequence[tuple[Message, Reason]]) -> None:
        await self._stores.messages.skip(tx, skipped)
        await outbox.append(tx, [announcement(each, Status.SKIPPED, why, tx.now, tx.now) for each, why in skipped])
        for _, why in skipped:
            MESSAGES_SKIPPED.labels(why).inc()
