"""Personal strings go in by every door; the export gives all of them back; after an erasure they are where the receipt
says that they are, and nowhere else. What pins a place here must be told in the receipt, and the other way round."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.chaos.judge import in_a_thread
from deploy.declared_topics import declared_topics
from shared.ids import new_id
from shared.messaging.history import read_range
from shared.messaging.topics import log_ranges
from tests.e2e.test_rebuild import _compared
from tests.support.asking import rows, wait_for
from tests.support.platform import Platform

_SERVICES = ("points", "notifications", "metrics")
# Where they stay today, by the strings that stay there. The log is to be sealed.
TOPICS = {
    "treue.customers": {"name", "email", "phone"},
    "treue.purchases": {"metadata", "coupon", "reason"},
    "treue.feedback": {"comment"},
    "treue.activities": {"property"},
}
# The local mail sink stands for the person's own mailbox.
FILES = {"data/mails.jsonl": {"name", "email"}}
_COLUMNS = """
    SELECT table_schema || '.' || table_name AS place FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema IN ('gateway', 'points', 'notifications', 'metrics')
"""


class Caller:
    """A shop's server, or a customer's phone."""

    def __init__(self, platform: Platform, token: str) -> None:
        self._url, self._token = urlsplit(platform.base_url), token

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        with closing(HTTPConnection(self._url.hostname or "", self._url.port, timeout=30)) as connection:
            headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """What became of an event that was accepted."""
        status, accepted = self(method, path, body)
        assert status == 202, accepted
        return self.outcome(accepted["event_id"])

    def outcome(self, event_id: str) -> Any:
        deadline = time.monotonic() + 60
        while True:
            status, found = self("GET", f"/v1/events/{event_id}?wait_ms=2000")
            if status == 200 and found["status"] in ("applied", "rejected"):
                return found
            assert time.monotonic() < deadline, found


@pytest.fixture(scope="module")
def shop(platform: Platform) -> Caller:
    made = platform.treue("tenants", "create", f"canary-{new_id().hex[-12:]}", "--currency", "EUR")
    return Caller(platform, made["api_key"])


def canaries() -> dict[str, str]:
    """A string for each kind of what is personal, that occurs nowhere else."""
    unique = {name: f"canary{name}{new_id().hex}" for name in ("metadata", "coupon", "reason", "comment")}
    digits = str(new_id().int)[-12:]
    letters = new_id().hex.translate(str.maketrans("0123456789", "ghijklmnop"))
    return unique | {
        "name": f"Canary {letters.title()}",  # no digits: a greeting carries it
        "property": f"canaryproperty{new_id().hex}", "phone": f"+4{digits}",
        "email": f"canary{new_id().hex}@example.org",
    }  # fmt: skip


def tell_everything(shop: Caller, customer: str, said: dict[str, str]) -> None:
    """By every door that there is."""
    at, order = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(), f"o-{customer}"  # noqa: TID251
    profile = {
        "email": said["email"], "name": said["name"], "phone": said["phone"], "birthday": "1987-06-05",
        "consents": [{"channel": "email", "purpose": "marketing", "granted": False}],
    }  # fmt: skip
    shop.done("PUT", f"/v1/customers/{customer}", profile)
    line = {"line_id": "1", "sku": f"sku-{customer}", "quantity": 1, "unit_price": "49.90"}
    money = {"occurred_at": at, "currency": "EUR", "customer_id": customer, "order_id": order}
    texts = {"metadata": {"note": said["metadata"]}, "coupon_codes": [said["coupon"]]}
    shop.done("POST", "/v1/purchases", money | texts | {"total": "49.90", "lines": [line]})
    shop.done("POST", "/v1/returns", money | {"total": "1.00", "reason": said["reason"]})
    feedback = {"customer_id": customer, "kind": "nps", "score": 2, "comment": said["comment"], "occurred_at": at}
    shop.done("POST", "/v1/feedback", feedback)
    activity = {"customer_id": customer, "kind": "quiz", "properties": {"answer": said["property"]}, "occurred_at": at}
    shop.done("POST", "/v1/activities", activity)


def test_export_and_erasure_of_all_that_was_told(platform: Platform, shop: Caller) -> None:
    customer, said = f"c-{new_id().hex[-12:]}", canaries()
    tell_everything(shop, customer, said)
    wait_for(lambda: [mail for mail in platform.mails() if said["email"] in mail["to"]])
    _, export = shop("GET", f"/v1/customers/{customer}/export")
    whole = json.dumps(export)
    assert [name for name, text in said.items() if text not in whole] == []
    assert "1987-06-05" in whole
    assert {each["type"] for each in export["metrics"]["events"]} == {
        "purchase.completed", "purchase.returned", "feedback.submitted", "activity.recorded",
    }  # fmt: skip
    assert tables_with(platform, said)

    receipt = shop.done("DELETE", f"/v1/customers/{customer}")
    told = {effect["service"] for effect in receipt["effects"] if effect["kind"] == "customer_erased"}
    assert told == set(_SERVICES)
    (left,) = (effect["not_reached"] for effect in receipt["effects"] if effect["kind"] == "erasure_incomplete")
    assert {place.split(":")[0] for place in left} >= {f"topic {topic}" for topic in TOPICS}

    assert tables_with(platform, said) == {}
    assert topics_with(platform, said) == TOPICS
    assert files_with(platform, said) == FILES
    assert shop("GET", f"/v1/customers/{customer}/balance")[0] == 404


def test_n_29_on_the_whole_platform(platform: Platform, shop: Caller) -> None:
    customer, said = f"c-{new_id().hex[-12:]}", canaries()
    tell_everything(shop, customer, said)
    shop.done("DELETE", f"/v1/customers/{customer}")
    status, refused = shop("PUT", f"/v1/customers/{customer}", {"email": said["email"]})
    assert (status, refused["code"]) == (409, "customer_erased")
    batch = {"customers": [{"customer_id": customer, "email": said["email"]}]}
    _, taken = shop("POST", "/v1/customers/batch", batch)
    late = shop.outcome(taken["results"][0]["event_id"])
    assert (late["status"], late["reason"]) == ("rejected", "customer_erased")
    assert {name: view.get("reason") for name, view in late["services"].items()} == dict.fromkeys(
        _SERVICES, "customer_erased"
    )
    at = datetime.now(UTC).isoformat()  # noqa: TID251
    bought = {"currency": "EUR", "customer_id": customer, "occurred_at": at, "total": "7.00"}
    line = {"line_id": "1", "sku": "s", "quantity": 1, "unit_price": "7.00"}
    guest = shop.done("POST", "/v1/purchases", bought | {"order_id": f"g-{customer}", "lines": [line]})
    assert "points.earned" not in {effect["kind"] for effect in guest["effects"]}

    shop.done("PUT", f"/v1/customers/{customer}", {"email": said["email"], "rejoin": True})
    shop.done("POST", "/v1/purchases", bought | {"order_id": f"n-{customer}", "lines": [line]})
    _, balance = shop("GET", f"/v1/customers/{customer}/balance")
    assert (balance["available"], balance["lifetime_earned"], balance["version"]) == (7, 7, 1)
    _, export = shop("GET", f"/v1/customers/{customer}/export")
    assert [name for name, text in said.items() if text in json.dumps(export)] == ["email"]
    assert export["notifications"]["profile"]["consents"] == [
        {"channel": "email", "purpose": "marketing", "granted": False}
    ]


def test_the_books_of_the_erased_hold_and_a_rebuild_gives_them_again(platform: Platform, shop: Caller) -> None:
    customer = f"c-{new_id().hex[-12:]}"
    tell_everything(shop, customer, canaries())
    shop.done("DELETE", f"/v1/customers/{customer}")
    wait_for(lambda: not rows(platform, "SELECT 1 FROM notifications.message WHERE status IN ('queued', 'sending')"))
    verified = platform.treue("verify", check=False)
    assert verified["drift"] == 0, verified
    for service in _SERVICES:
        code, found = in_a_thread(_compared(platform, service))
        assert (code, found["differing"]) == (0, 0), found
        assert next(table["rows"] for table in found["tables"] if table["table"] == "erasure")


def tables_with(platform: Platform, said: dict[str, str]) -> dict[str, set[str]]:
    """In which tables of all services they are."""
    found: dict[str, set[str]] = {}
    for row in rows(platform, _COLUMNS):
        for name, text in said.items():
            # Bytes are shown in hexadecimal digits.
            shown = [text, text.encode().hex()]
            query = f"SELECT 1 FROM {row['place']} t WHERE t::text LIKE ANY($1::text[]) LIMIT 1"
            if rows(platform, query, [f"%{each}%" for each in shown]):
                found.setdefault(row["place"], set()).add(name)
    return found


def topics_with(platform: Platform, said: dict[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for topic, raw in all_records(platform):
        for name, text in said.items():
            if text.encode() in raw:
                found.setdefault(topic, set()).add(name)
    return found


def files_with(platform: Platform, said: dict[str, str]) -> dict[str, set[str]]:
    """In which files of the stack, but for those of the servers, whose content was looked at from inside."""
    folder = platform.stack.folder.path
    found: dict[str, set[str]] = {}
    for name, text in said.items():
        done = subprocess.run(
            ["grep", "-rlaF", "--exclude-dir=postgres", "--exclude-dir=kafka", text, str(folder)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        for path in done.stdout.splitlines():
            found.setdefault(path.removeprefix(f"{folder}/"), set()).add(name)
    return found


def all_records(platform: Platform) -> Iterator[tuple[str, bytes]]:
    """Every topic's records: keys, headers and values."""

    async def read() -> list[tuple[str, bytes]]:
        places = [(topic.name, part) for topic in declared_topics() for part in range(topic.partitions)]
        ends = await log_ranges(platform.kafka_bootstrap, places)
        return [
            (topic, b"\n".join((raw.key or b"", raw.value or b"", *(value for _, value in raw.headers))))
            for (topic, part), (first, end) in ends.items()
            async for chunk in read_range(platform.kafka_bootstrap, topic, part, first, end)
            for raw in chunk
        ]

    yield from in_a_thread(read())
