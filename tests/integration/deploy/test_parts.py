"""The servers that all other tests stand on."""

import smtplib
from email import message_from_string, policy
from email.message import EmailMessage

import asyncpg
import pytest

from tests.conftest import DatabaseFactory
from tests.support.stack import Parts


async def test_an_app_role_does_what_a_migration_granted_and_nothing_else(database: DatabaseFactory) -> None:
    points = await database("points")
    owner = await asyncpg.connect(points.owner)
    await owner.execute("CREATE TABLE wallets (points bigint)")
    await owner.execute("GRANT SELECT, INSERT ON wallets TO treue_points")
    await owner.close()
    app = await asyncpg.connect(points.app)
    await app.execute("INSERT INTO wallets VALUES (1)")
    forbidden = ("UPDATE wallets SET points = 2", "CREATE TABLE mine (id int)", "CREATE TABLE public.mine (id int)")
    for statement in forbidden:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)
    await app.close()


async def test_postgres_is_durable(parts: Parts) -> None:
    connection = await asyncpg.connect(parts.database_url)
    durable = {name: await connection.fetchval(f"SHOW {name}") for name in ("fsync", "synchronous_commit")}
    await connection.close()
    assert durable == {"fsync": "on", "synchronous_commit": "on"}


def test_a_mail_is_kept_and_bounces_bounce(parts: Parts) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.org", "ada@example.org", "Grüße"
    mail["Message-ID"] = "<one@example.org>"
    mail.set_content("25 Punkte")
    mail.add_alternative("<p>25 Punkte</p>", subtype="html")
    with smtplib.SMTP(parts.smtp_host, parts.smtp_port) as server:
        server.send_message(mail)
        for to, code in (("bounce-1@example.org", 550), ("busy@example.org", 451)):
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                server.send_message(mail, to_addrs=[to])
            assert refused.value.recipients[to][0] == code
    (kept,) = parts.mails()
    assert kept.pop("received_at")
    raw = message_from_string(kept.pop("raw"), policy=policy.default)
    assert raw["Subject"] == "Grüße"
    assert [part.get_content() for part in raw.iter_parts()] == ["25 Punkte\r\n", "<p>25 Punkte</p>\r\n"]
    assert kept == {
        "to": ["ada@example.org"],
        "from": "shop@example.org",
        "subject": "Grüße",
        "text": "25 Punkte\n",
        "html": "<p>25 Punkte</p>\n",
        "message_id": "<one@example.org>",
    }
