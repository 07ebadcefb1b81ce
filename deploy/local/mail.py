"""A mail server that delivers nowhere: it keeps what it was given, one JSON line per mail, durably.

So that bounces can be tried, a recipient whose local part begins with `bounce` is refused for good (550), one that
begins with `busy` for now (451).
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from shared.clock import Clock, SystemClock

_REFUSALS: Mapping[str, str] = {
    "bounce": "550 5.1.1 no such mailbox",
    "busy": "451 4.3.2 mailbox busy, try again",
}


class Mailbox:
    """aiosmtpd calls these two; a mail is answered with 250 only once it is on the disk."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        for beginning, refusal in _REFUSALS.items():
            if address.lower().startswith(beginning):
                return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self._append(described(content, envelope.rcpt_tos, envelope.mail_from or "", self._clock.now().isoformat()))
        return "250 OK"

    def _append(self, mail: dict[str, Any]) -> None:
        with self._file.open("ab") as file:
            file.write(json.dumps(mail, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def described(content: bytes, to: list[str], sender: str, received_at: str) -> dict[str, Any]:
    """A mail's parts, and in `raw` its source; a byte that is not UTF-8 stands there as \\xNN."""
    message = message_from_bytes(content, policy=policy.default)
    return {
        "to": list(to),
        "from": str(message["from"] or sender),
        "subject": str(message["subject"] or ""),
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "message_id": str(message["message-id"] or ""),
        "received_at": received_at,
        "raw": content.decode(errors="backslashreplace"),
    }


def _part(message: EmailMessage, kind: str) -> str | None:
    body = message.get_body(preferencelist=(kind,))
    return None if body is None else str(body.get_content()).replace("\r\n", "\n")


async def serve(port: int, file: Path) -> None:
    _end_torn_line(file)
    mailbox = Mailbox(file, SystemClock())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, enable_SMTPUTF8=True), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def _end_torn_line(file: Path) -> None:
    """A kill in the middle of a write leaves half a line; readers skip it once it has an end."""
    file.touch(mode=0o600)
    content = file.read_bytes()
    if content and not content.endswith(b"\n"):
        with file.open("ab") as torn:
            torn.write(b"\n")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
