"""What customers and their shop can ask."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.notifications.bootstrap import build_api
from shared.auth.principal import Principal
from shared.auth.scopes import CUSTOMERS_READ
from shared.auth.tokens import TokenSigner
from shared.clock import SystemClock
from tests.integration.notifications.mail_server import MailServer
from tests.integration.notifications.world import World, customer, earned, erased, long_ago

KEY = Principal("shop", frozenset({CUSTOMERS_READ}))
ADA = Principal("shop", frozenset(), customer="ada")
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def ask(world: World) -> AsyncIterator[Ask]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signer = TokenSigner(private, SystemClock())
    app = build_api(world.settings.model_copy(update={"internal_public_key": public}), world.engine)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifications") as client:

        async def get(path: str, caller: Principal = KEY) -> httpx.Response:
            return await client.get(path, headers={"authorization": f"Bearer {signer.sign(caller, 60)}"})

        yield get


async def items(ask: Ask, customer_id: str = "ada", caller: Principal = KEY, limit: int = 50) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await ask(f"/v1/customers/{customer_id}/messages?limit={limit}{cursor}", caller)).json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


async def test_a_message_tells_all(world: World, box: MailServer, ask: Ask) -> None:
    await world.receive(customer())
    event = earned()
    (cause,) = await world.receive(event)
    await world.send_all()
    mail, note = await items(ask)
    assert (mail["channel"], note["channel"]) == ("email", "inapp")
    for each in (mail, note):
        assert each["template"] == "points_earned"
        assert each["event_id"] == str(event.cause_id)
        assert each["cause_id"] == str(cause)
        assert (each["status"], each["reason"]) == ("sent", None)
        assert each["subject"] == "25 Punkte für Sie gesammelt"
        assert each["created_at"] <= each["sent_at"]
        assert "25 Punkte" in each["body"]
    text = box.taken[0].get_body(("plain",))
    assert text is not None
    assert mail["body"] == text.get_content().replace("\r\n", "\n")
    assert "Hallo Ada" in mail["body"]
    assert "Hallo Ada" not in note["body"]


async def test_what_was_not_sent_is_there_with_its_reason(world: World, ask: Ask) -> None:
    await world.receive(customer("ada", ("email", "service", False)))
    await world.receive(earned())
    mail = (await items(ask))[0]
    assert (mail["status"], mail["reason"], mail["sent_at"]) == ("skipped", "consent_withdrawn", None)
    assert "25 Punkte" in mail["body"]


async def test_the_inbox_is_in_the_readers_language_of_today(world: World, ask: Ask) -> None:
    await world.receive(earned())
    assert (await items(ask))[1]["subject"] == "25 Punkte für Sie gesammelt"
    await world.receive(customer(locale="en-GB"))
    assert (await items(ask))[1]["subject"] == "You have earned 25 points"


async def test_newest_first_in_pages_without_gaps(world: World, ask: Ask) -> None:
    await world.receive(customer(), customer("bob"))
    await world.receive(*(earned(points=n) for n in range(1, 12)), earned("bob"))
    for limit in (1, 5, 22, 500):
        found = await items(ask, limit=limit)
        assert [each["id"] for each in found] == [each["id"] for each in await items(ask)]
        assert len({each["id"] for each in found}) == 22
    notes = [each["subject"] for each in await items(ask) if each["channel"] == "inapp"]
    assert notes == [f"{n} Punkt{'e' if n > 1 else ''} für Sie gesammelt" for n in range(11, 0, -1)]


async def test_a_customer_known_by_an_event_has_an_inbox_and_an_unknown_one_none(world: World, ask: Ask) -> None:
    await world.receive(customer("quiet"))
    assert (await ask("/v1/customers/quiet/messages")).json() == {"items": [], "next": None}
    for path in ("messages", "profile", "consents"):
        for nobody in ("nobody", "%00", "me", "x" * 2000):
            answer = await ask(f"/v1/customers/{nobody}/{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "customer_not_found"), (nobody, path)


async def test_nobody_reads_what_is_not_theirs(world: World, ask: Ask) -> None:
    await world.receive(customer(), customer("bob"))
    for path in ("messages", "profile", "consents"):
        assert (await ask(f"/v1/customers/ada/{path}", ADA)).status_code == 200
        assert (await ask(f"/v1/customers/me/{path}", ADA)).status_code == 200
        assert (await ask(f"/v1/customers/bob/{path}", ADA)).status_code == 404
        assert (await ask(f"/v1/customers/ada/{path}", Principal("other", KEY.scopes))).status_code == 404
        assert (
            await ask(f"/v1/customers/ada/{path}", Principal("shop", frozenset({"events:write"})))
        ).status_code == 403


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=x", "cursor=MXsiYmVmb3JlIjotMX0"])
async def test_bad_questions(world: World, ask: Ask, query: str) -> None:
    await world.receive(customer())
    assert (await ask(f"/v1/customers/ada/messages?{query}")).status_code == 422


async def test_profile_and_consents_for_the_export(world: World, ask: Ask) -> None:
    (first,) = await world.receive(customer("ada", ("email", "marketing", True)))
    (second,) = await world.receive(customer("ada", ("email", "service", False)))
    profile = (await ask("/v1/customers/ada/profile")).json()
    assert (profile["email"], profile["name"], profile["state"]) == ("ada@example.org", "Ada", "known")
    said = (await ask("/v1/customers/ada/consents")).json()["items"]
    found = [(each["purpose"], each["granted"], each["event_id"]) for each in said]
    assert found == [("service", False, str(second)), ("marketing", True, str(first))]


async def test_a_profile_shows_all_that_was_given_and_consents_what_holds(world: World, ask: Ask) -> None:
    given = {"phone": "+4940123456", "birthday": date(1990, 2, 28), "time_zone": "Europe/Paris", "kind": "business"}
    await world.receive(customer("ada", ("email", "marketing", True), **given))
    await world.receive(customer("ada", ("email", "marketing", False), **given, occurred_at=long_ago()))
    profile = (await ask("/v1/customers/ada/profile")).json()
    shown = [profile[name] for name in ("phone", "birthday", "time_zone", "kind", "occurred_at")]
    assert shown == ["+4940123456", "1990-02-28", "Europe/Paris", "business", "2026-11-22T12:00:00Z"]
    current = [{"channel": "email", "purpose": "marketing", "granted": True}]
    assert profile["consents"] == current
    consents = (await ask("/v1/customers/ada/consents?limit=1")).json()
    assert consents["current"] == current
    (line,) = consents["items"]
    assert (line["granted"], line["effective"], line["said_by"]) == (False, True, "shop")
    assert (line["since"], line["received_at"]) == ("2026-11-14T12:00:00Z", "2026-11-22T12:00:00Z")


async def test_after_an_erasure_there_is_nothing_to_read(world: World, ask: Ask) -> None:
    await world.receive(customer())
    await world.receive(earned())
    await world.send_all()
    await world.receive(erased())
    assert await items(ask) == []
    assert (await ask("/v1/customers/ada/consents")).json() == {"items": [], "next": None, "current": []}
    (pseudonym,) = await world.rows("SELECT pseudonym FROM erasure")
    hidden = await ask(f"/v1/customers/{quote(pseudonym['pseudonym'], safe='')}/messages")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "customer_not_found")
    assert (await ask("/v1/customers/ada/profile")).json()["email"] is None


async def test_what_the_gateway_asks(world: World, ask: Ask) -> None:
    assert (await ask("/internal/tenants/shop")).json() == {"tenant": "shop", "programme_version": 1}
    assert (await ask("/internal/tenants/other")).status_code == 404
    (event,) = await world.receive(customer("ada", ("email", "service", True)))
    status = (await ask(f"/internal/events/{event}")).json()
    assert status["outcome"] == "applied"
    assert [effect["kind"] for effect in status["effects"]] == ["profile_updated", "consent_changed"]
    (cause,) = await world.receive(earned())
    effects = (await ask(f"/internal/events/{cause}")).json()["effects"]
    assert [(effect["channel"], effect["status"]) for effect in effects] == [("inapp", "sent"), ("email", "queued")]
    assert (await ask(f"/internal/events/{event}", Principal("other", KEY.scopes))).status_code == 404
