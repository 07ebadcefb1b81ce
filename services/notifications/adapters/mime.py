"""A mail as it goes over the wire: text and HTML, headers that nobody's name can break out of."""

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import idna

from services.notifications.application.ports import Mail
from services.notifications.domain.language import language_of, one_line


def mime_of(mail: Mail, sender_address: str) -> EmailMessage:
    """The message. It says the same in every attempt: its Message-ID and its date are the stored message's.

    Raises ValueError for an address that is none.
    """
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = mail.header_id
    message["Date"] = format_datetime(mail.due.created_at)
    message["From"] = Address(one_line(mail.sender_name), addr_spec=sender_address)
    message["To"] = _address(mail.address)
    message["Subject"] = one_line(mail.content.subject)
    # So that no absence notice answers (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Correlation-ID"] = one_line(mail.due.message.correlation_id or str(mail.due.message.cause_id))
    message.set_content(mail.content.text)
    if mail.content.html is not None:
        message.add_alternative(mail.content.html, subtype="html")
    # Last: setting the content removes all Content-* headers.
    message["Content-Language"] = language_of(mail.content.locale)
    return message


def wire_address(text: str) -> str:
    """The address as it goes out: the domain in ASCII (IDNA 2008), what stands before the @ as it is. Raises ValueError
    for an address that is none."""
    local, at, domain = text.rpartition("@")
    if not (local and at and domain):
        raise ValueError("no address: nothing on one side of the @")
    ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    _parsed(f"{_ascii(local)}@{ascii_domain}")
    return f"{local}@{ascii_domain}"


def _address(text: str) -> Address:
    local, _, domain = wire_address(text).rpartition("@")
    return Address(username=local, domain=domain) if not local.isascii() else _parsed(f"{local}@{domain}")


def _ascii(local: str) -> str:
    """The same with an x for each letter that is not ASCII, for the parser, which knows no others."""
    return "".join("x" if not each.isascii() and each.isprintable() and not each.isspace() else each for each in local)


def _parsed(text: str) -> Address:
    try:
        return Address(addr_spec=text)
    except (MessageError, IndexError) as error:  # what the standard library's parser ends in, beside ValueError
        raise ValueError(f"no address: {type(error).__name__}") from error
