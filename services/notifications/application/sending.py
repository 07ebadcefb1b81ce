"""The sender: takes what is due in a short transaction, sends it outside of any, and notes the outcome in a second one.

A message is in one sender's hands at a time: the claim counts up and names the lease. A death between the mail server's
"250" and our note sends the mail again when the lease ends, with the same Message-ID: that window is SMTP's, not ours
to close.
"""

import asyncio
import contextlib
import random
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifications.application.claiming import Claiming
from services.notifications.application.outgoing import announcement, is_announced
from services.notifications.application.pace import Pace
from services.notifications.application.ports import Mail, Mailer, MailServerAwayError
from services.notifications.application.stores import Stores
from services.notifications.domain.delivery import Answer, Consequence, Stage, consequence
from services.notifications.domain.message import Status, advance
from shared.db.transaction import transaction
from shared.messaging import failpoints, outbox
from shared.messaging.failures import Verdict, verdict
from shared.observability.context import about
from shared.observability.logging import get_logger
from shared.observability.metrics import MESSAGES_FAILED, MESSAGES_SENT

_log = get_logger(__name__)
_RECONNECT_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """`batch` mails are taken at once; `lease_s` is how long they are this sender's; `retry_delays_s` are the pauses
    after an answer "not now", and one more such answer than there are pauses is a failure."""

    batch: int
    lease_s: float
    poll_s: float
    retry_delays_s: tuple[float, ...]


class Sender:
    """Sends over one connection. Several run side by side, in one process or many."""

    def __init__(
        self,
        engine: AsyncEngine,
        stores: Stores,
        claiming: Claiming,
        mailer: Mailer,
        pace: Pace,
        settings: SendingSettings,
    ) -> None:
        self._engine, self._stores, self._claiming, self._mailer = engine, stores, claiming, mailer
        self._pace, self._settings = pace, settings

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop; the mail in hand is finished, the others that were taken are given back."""
        failures = 0
        while not stop.is_set():
            try:
                idle = not await self.send_due(stop)
                failures = 0
            except Exception as error:  # noqa: BLE001 - the edge of the process: judged, logged, tried again
                failures += 1
                idle = True
                known = isinstance(error, MailServerAwayError) or verdict(error) is not Verdict.REFUSE
                (_log.warning if known else _log.exception)("sender_failed", error=f"{type(error).__name__}: {error}")
            if idle:
                await _wait(stop, min(self._settings.poll_s * 2**failures, _RECONNECT_MAX_S) * _jitter())
        await self._mailer.close()

    async def send_due(self, stop: asyncio.Event) -> int:
        """Take a batch and send it; returns how many were taken.

        Raises MailServerAwayError, and whatever the database raises.
        """
        async with transaction(self._engine) as tx:
            if not await self._stores.messages.anything_due(tx):
                return 0
        await self._mailer.connect()
        async with transaction(self._engine) as tx:
            mails = await self._claiming.claim(tx, self._settings.batch)
        failpoints.reach("mail_after_claim")
        await self._send_all(mails, stop)
        return len(mails)

    async def _send_all(self, mails: list[Mail], stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        # Who is slower than half the lease must not send what somebody else may soon take.
        until = loop.time() + self._settings.lease_s / 2
        for number, mail in enumerate(mails):
            await self._pace.turn(stop)
            if stop.is_set() or loop.time() > until:
                await self._give_back(mails[number:])
                return
            with about(correlation_id=mail.due.message.correlation_id, tenant=mail.due.message.tenant):
                answer = await self._mailer.send(mail)
                failpoints.reach("mail_after_send")
                await self._settle(mail, answer)
            if answer.stage is Stage.CONNECTION:
                await self._give_back(mails[number + 1 :])
                raise MailServerAwayError("the connection broke")

    async def _settle(self, mail: Mail, answer: Answer) -> None:
        """Note the outcome, however long the database is away: not noting it would send the mail again."""
        delay_s = 0.1
        while True:
            try:
                await self._settle_once(mail, answer)
            except Exception as error:
                if verdict(error) is Verdict.REFUSE:
                    raise
                _log.warning("outcome_not_noted_yet", message_id=mail.due.message.id, error=type(error).__name__)
                await asyncio.sleep(delay_s * _jitter())
                delay_s = min(delay_s * 2, 2.0)
            else:
                return

    async def _settle_once(self, mail: Mail, answer: Answer) -> None:
        message = mail.due.message
        result = self._consequence(mail, answer)
        async with transaction(self._engine) as tx:
            if not await self._stores.messages.settle(tx, mail, answer, result):
                _log.warning("lease_lost", message_id=message.id, outcome=result.status)
                return
            if result.suppress:
                await self._stores.customers.suppress(tx, message.tenant, mail.address, message.id, answer.told)
            if is_announced(result.status):
                await outbox.append(tx, [announcement(message, result.status, result.reason, tx.now, tx.now)])
        _count(mail, result)

    def _consequence(self, mail: Mail, answer: Answer) -> Consequence:
        due = mail.due
        found = consequence(answer, due.attempts + 1, self._settings.retry_delays_s, due.claims - due.attempts)
        advance(Status.SENDING, found.status)
        return replace(found, delay_s=found.delay_s * _jitter())

    async def _give_back(self, mails: list[Mail]) -> None:
        async with transaction(self._engine) as tx:
            await self._stores.messages.give_back(tx, mails)


def _count(mail: Mail, result: Consequence) -> None:
    message = mail.due.message
    if result.status is Status.SENT:
        MESSAGES_SENT.labels(message.channel, message.template).inc()
        return
    MESSAGES_FAILED.labels(message.channel, result.reason or "").inc()
    _log.info("mail_not_taken", message_id=message.id, outcome=result.status, reason=result.reason)


def _jitter() -> float:
    return random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, hides nothing


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), timeout=seconds)
