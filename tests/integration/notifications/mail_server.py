"""A mail server that does what a test tells it, in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

# What to answer to the n-th mail for an address; None: take it.
Answers = Callable[[str, int], str | None]


@dataclass
class MailServer:
    """Keeps what it took; `at_recipient` and `at_data` answer in its place, `drop` hangs up instead of answering."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    at_recipient: Answers = lambda _address, _number: None
    at_data: Answers = lambda _address, _number: None
    drop: Callable[[int], bool] = lambda _number: False
    delay_s: float = 0.0
    smtputf8: bool = True

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.tried.append(address)
        refusal = self.at_recipient(address, self.tried.count(address))
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(  # noqa: N802 - as above
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        await asyncio.sleep(self.delay_s)
        if self.drop(len(self.tried)):
            server.transport.abort()
            return "250 never heard"
        refusal = self.at_data(envelope.rcpt_tos[0], self.tried.count(envelope.rcpt_tos[0]))
        if refusal is None:
            content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
            message = message_from_bytes(content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
        return refusal or "250 OK"

    def ids(self) -> list[str]:
        return [str(mail["message-id"]) for mail in self.taken]


@contextlib.asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    box = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, enable_SMTPUTF8=box.smtputf8), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()
