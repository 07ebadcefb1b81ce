"""What the application needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.notifications.domain.consent import ConsentKey, Source, Word
from services.notifications.domain.customer import Customer, Profile
from services.notifications.domain.delivery import Answer, Consequence
from services.notifications.domain.message import Facts, Message, Reason
from services.notifications.domain.programme import Programme
from shared.db.transaction import Transaction
from shared.errors import InvalidError, UnavailableError

# Tenant and customer.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """What a source said about one channel and purpose, when it was said and received, and what held afterwards."""

    key: Key
    channel: str
    purpose: str
    said_by: Source
    word: Word
    received_at: datetime
    event_id: UUID
    effective: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A message in words; `html` is None where the channel has none."""

    locale: str
    subject: str
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose next attempt is due, locked. `claims` counts who took it, `attempts` who got an answer about it;
    `content` and `header_id`, its Message-ID, are there from the first attempt on, so that each sends the same."""

    message: Message
    claims: int
    attempts: int
    created_at: datetime
    content: Content | None
    header_id: str | None


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in a sender's hands."""

    due: Due
    content: Content
    header_id: str
    address: str
    sender_name: str


class RenderError(InvalidError):
    """A text cannot be made of these facts."""

    code = "not_renderable"


class MailServerAwayError(UnavailableError):
    """There is no connection to the mail server, and it is not about any message."""

    code = "mail_server_away"


class Customers(Protocol):
    """Tenants' programmes and their customers."""

    async def programmes(self, tx: Transaction, tenants: Collection[str]) -> dict[str, Programme]: ...

    async def save_programmes(self, tx: Transaction, programmes: Sequence[Programme]) -> None: ...

    async def lock(self, tx: Transaction, keys: Collection[Key]) -> dict[Key, Customer]:
        """Lock them in sorted order, after making those that were never seen: whoever writes messages of a customer,
        or changes who they are, holds this lock."""
        ...

    async def load(self, tx: Transaction, keys: Collection[Key]) -> dict[Key, Customer]:
        """Without a lock."""
        ...

    async def save_profiles(self, tx: Transaction, profiles: Mapping[Key, Profile]) -> None: ...

    async def add_consents(self, tx: Transaction, records: Sequence[ConsentRecord]) -> None:
        """Append to the history."""
        ...

    async def save_words(self, tx: Transaction, words: Mapping[tuple[Key, ConsentKey, Source], Word]) -> None:
        """The newest word of a source."""
        ...

    async def keep_withdrawals(
        self, tx: Transaction, tenant: str, address: str, keys: Collection[ConsentKey], since: datetime
    ) -> None:
        """They hold for whoever comes with this address, though it is forgotten."""
        ...

    async def pseudonymise(self, tx: Transaction, key: Key, pseudonym: str) -> None:
        """Messages and the history of consents are the pseudonym's from now on; the newest words are forgotten."""
        ...

    async def suppress(self, tx: Transaction, tenant: str, address: str, message_id: UUID, reason: str) -> None:
        """Never send to this address again."""
        ...


class Messages(Protocol):
    """The messages of all customers."""

    async def add(self, tx: Transaction, messages: Sequence[Message]) -> None:
        """Write them. Raises UniqueViolationError when one is there already: another transaction had its event
        meanwhile, and the batch is then done again."""
        ...

    async def release(self, tx: Transaction, keys: Collection[Key]) -> None:
        """The profile is there: what waited for it is due now."""
        ...

    async def forget(self, tx: Transaction, keys: Collection[Key]) -> list[Message]:
        """Take all content out of these customers' messages and skip what was not sent; returns what was skipped."""
        ...

    async def told_of(self, tx: Transaction, keys: Collection[Key], template: str) -> list[Message]:
        """Of these customers, the newest messages of this template that were not skipped."""
        ...

    async def give_up_waiting(self, tx: Transaction, limit: int) -> list[Message]:
        """Skip what waited in vain for its profile; returns what was skipped."""
        ...

    async def anything_due(self, tx: Transaction) -> bool:
        """Whether there may be something for `due`."""
        ...

    async def due(self, tx: Transaction, limit: int) -> list[Due]:
        """Lock messages whose next attempt is due, or whose sender's lease ran out; others' locks are passed by."""
        ...

    async def skip(self, tx: Transaction, messages: Sequence[tuple[Message, Reason]]) -> None: ...

    async def fail(self, tx: Transaction, message: Message, reason: str) -> None: ...

    async def take(self, tx: Transaction, mails: Sequence[Mail], lease_s: float) -> None:
        """Note that these are in a sender's hands until the lease ends, and what they say."""
        ...

    async def settle(self, tx: Transaction, mail: Mail, answer: Answer, consequence: Consequence) -> bool:
        """Note the outcome of an attempt; False when the message is no longer this sender's."""
        ...

    async def give_back(self, tx: Transaction, mails: Sequence[Mail]) -> None:
        """They were not tried: as if they had never been taken, but for the count of claims."""
        ...


class Renderer(Protocol):
    """Makes words of facts."""

    def mail(self, template: str, facts: Facts, profile: Profile, programme: Programme) -> Content:
        """With text and HTML, complete. Raises RenderError."""
        ...

    def note(self, template: str, facts: Facts, profile: Profile, programme: Programme) -> Content:
        """For the in-app inbox: subject and text, without salutation. Raises RenderError."""
        ...


class Mailer(Protocol):
    """One kept connection to the mail server."""

    async def connect(self) -> None:
        """Connect unless connected. Raises MailServerAwayError."""
        ...

    async def send(self, mail: Mail) -> Answer:
        """One attempt. Never raises for what the server or the network does."""
        ...

    async def close(self) -> None: ...
