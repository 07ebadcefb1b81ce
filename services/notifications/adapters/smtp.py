"""The mail server, over one kept connection."""

import asyncio
import contextlib
import re
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

import aiosmtplib

from services.notifications.adapters.mime import mime_of, wire_address
from services.notifications.application.ports import Mail, MailServerAwayError
from services.notifications.domain.delivery import Answer, Stage
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_IDLE_MAX_S = 20.0
# What we answer ourselves: no server would take these.
_NO_ADDRESS = Answer(Stage.RECIPIENT, 553, "5.1.3")
_NOT_BUILT = Answer(Stage.CONTENT, 554, "5.6.0")
_NEEDS_SMTPUTF8 = Answer(Stage.CONTENT, 553, "5.6.7")  # the address has other letters than ASCII, and the server cannot

Security = Literal["auto", "starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where the mail server is. `security`: tls from the first byte, starttls required, none, or (auto) starttls where
    the server offers it. `timeout_s` is for the whole dialogue about one mail."""

    host: str
    port: int
    sender_address: str
    security: Security = "auto"
    username: str | None = None
    password: str | None = None
    timeout_s: float = 45.0


class SmtpMailer:
    """The port Mailer."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._connection: aiosmtplib.SMTP | None = None
        self._used_at = 0.0

    async def connect(self) -> None:
        """A connection that was idle for long is made anew: servers hang up without a word."""
        loop = asyncio.get_running_loop()
        fresh = self._connection is not None and self._connection.is_connected
        if fresh and loop.time() - self._used_at < _IDLE_MAX_S:
            return
        await self.close()
        connection = self._client()
        try:
            await connection.connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            connection.close()
            raise MailServerAwayError(f"{type(error).__name__}: {error}") from error
        self._connection, self._used_at = connection, loop.time()

    async def send(self, mail: Mail) -> Answer:
        """One attempt. The server's words are not kept, only its codes: the words quote the address."""
        if self._connection is None:
            return Answer(Stage.CONNECTION)
        message = self._message(mail)
        if isinstance(message, Answer):
            return message
        sender = self._settings.sender_address
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._connection.send_message(message, sender=sender, recipients=[wire_address(mail.address)])
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            answer = answer_of(error)
            if answer.stage is Stage.CONNECTION:
                await self.close()
            return answer
        self._used_at = asyncio.get_running_loop().time()
        return Answer(Stage.ACCEPTED, 250)

    def _message(self, mail: Mail) -> EmailMessage | Answer:
        try:
            return mime_of(mail, self._settings.sender_address)
        except ValueError:
            return _NO_ADDRESS
        except Exception:  # noqa: BLE001 - the library raises whatever it likes; one mail must not stop the others
            _log.exception("mail_not_built", message_id=mail.due.message.id)
            return _NOT_BUILT

    async def close(self) -> None:
        """Say goodbye if the server still listens."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            if connection.is_connected:
                await connection.quit(timeout=2)
        connection.close()

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.security == "tls",
            start_tls={"starttls": True, "auto": None}.get(settings.security, False),
            username=settings.username,
            password=settings.password,
            timeout=settings.timeout_s,
        )


def answer_of(error: BaseException) -> Answer:
    """What a failure says: about the recipient, the sender, the content, or nothing but the connection."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _answer(Stage.RECIPIENT, error.recipients[0].code, error.recipients[0].message)
        case aiosmtplib.SMTPResponseException():
            stage = Stage.CONTENT if isinstance(error, aiosmtplib.SMTPDataError) else Stage.SENDER
            return _answer(stage, error.code, error.message)
        case aiosmtplib.SMTPNotSupported():
            return _NEEDS_SMTPUTF8
        case ValueError():
            return _NO_ADDRESS
        case _:
            return Answer(Stage.CONNECTION)


def _answer(stage: Stage, code: int, words: str) -> Answer:
    if code == 421:  # "I am closing the connection", whatever it was asked
        return Answer(Stage.CONNECTION, code)
    found = _ENHANCED.search(words)
    return Answer(stage, code, found[1] if found else "")
