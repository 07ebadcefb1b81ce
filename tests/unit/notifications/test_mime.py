"""The mail on the wire."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.adapters.mime import mime_of, wire_address
from services.notifications.application.ports import Content
from tests.unit.notifications.sample import mail

HEADERS = {
    "message-id", "date", "from", "to", "subject", "content-language", "auto-submitted", "x-correlation-id",
    "mime-version", "content-type",
}  # fmt: skip


def parsed(message: EmailMessage) -> EmailMessage:
    found = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_it_says_who_when_and_in_which_language() -> None:
    found = parsed(mime_of(mail(), "points@treue.example"))
    assert found["from"] == "Café Müller <points@treue.example>"
    assert found["to"] == "ada@example.org"
    assert found["subject"] == "Ein Gruß"
    assert found["date"] == "Sun, 22 Nov 2026 12:00:00 +0000"
    assert found["message-id"] == "<1@treue.example>"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]


texts = st.text(max_size=60) | st.sampled_from(
    ["a\r\nBcc: b@c.d", "a\n\nbody", "x\r\n.\r\n", "\x00", '"quo<ted> \\', "=?utf-8?q?x?="]
)


@given(texts, texts)
def test_no_name_or_subject_makes_another_header(name: str, subject: str) -> None:
    content = Content(locale="de", subject=subject, text="Text\n", html="<p>Text</p>")
    found = parsed(mime_of(mail(sender_name=name, content=content), "points@treue.example"))
    assert {header.lower() for header in found} == HEADERS
    assert found["to"] == "ada@example.org"
    assert "points@treue.example" in found["from"]
    body = found.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Text"


@pytest.mark.parametrize("address", ["", "nobody", "a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", "<a@b.c>", "a b@c.d"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of the library's
        mime_of(mail(address=address), "points@treue.example")


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),  # IDNA 2008, where 2003 says "strasse"
        ("jürgen@example.org", "jürgen@example.org"),
        ("用户@例え.example", "用户@xn--r8jz45g.example"),
    ],
)
def test_a_domain_goes_out_in_ascii(address: str, wire: str) -> None:
    assert wire_address(address) == wire
    assert str(mime_of(mail(address=address), "points@treue.example")["to"]) == wire


@pytest.mark.parametrize("address", ["ü ü@x.example", "ü\r\nBcc: a@b.c", "ü,a@b.example", "ü@"])
def test_what_is_no_address_is_refused_in_any_script(address: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of the library's
        mime_of(mail(address=address), "points@treue.example")
