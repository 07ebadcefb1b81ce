"""What the tests of this service have in common."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.notifications.application.ports import Content, Due, Mail
from services.notifications.domain.customer import Profile, ProfileState
from services.notifications.domain.message import Channel, Message, Purpose, Status, message_id
from services.notifications.domain.programme import Programme

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CAUSE = UUID("6b6f2f5e-2f0a-5d4c-9a51-0c6f0d7e7ec2")
SHOP = Programme(
    tenant="shop", version=1, name="Café Müller", currency="EUR", time_zone="Europe/Berlin", locale="de-DE"
)


def ada(**changes: Any) -> Profile:
    fields = {"email": "ada@example.org", "name": "Ada Lovelace", "locale": "de-DE"} | changes
    return Profile(state=ProfileState.KNOWN, **fields)


def message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "tenant": "shop", "customer_id": "ada", "cause_id": CAUSE, "origin_id": CAUSE, "template": "points_earned",
        "channel": Channel.EMAIL, "purpose": Purpose.SERVICE, "facts": {}, "status": Status.QUEUED,
    }  # fmt: skip
    fields |= changes
    return Message(id=message_id(fields["cause_id"], fields["template"], fields["channel"]), **fields)


def mail(**changes: Any) -> Mail:
    fields: dict[str, Any] = {
        "due": Due(message(), claims=0, attempts=0, created_at=NOW, content=None, header_id=None),
        "content": Content(locale="de-DE", subject="Ein Gruß", text="Text\n", html="<p>Text</p>\n"),
        "header_id": "<1@treue.example>",
        "address": "ada@example.org",
        "sender_name": "Café Müller",
    }
    return Mail(**(fields | changes))
