"""One OpenAPI document of the platform."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from httpx import ASGITransport, AsyncClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from services.gateway.entrypoints.answers import answer_examples
from services.gateway.entrypoints.examples import request_examples
from services.gateway.entrypoints.finishing import finisher
from services.gateway.entrypoints.forward import owner_finder
from services.gateway.entrypoints.scopes import NEEDS
from services.gateway.forwarding.documents import Document, merged
from services.gateway.forwarding.upstream import Service
from services.gateway.ingest.kinds import CUSTOMERS, EVENT_KINDS, QUOTES, profile_of
from services.gateway.ingest.reading import Reader
from services.gateway.ingest.reception import Reception
from services.gateway.tenants.tenant import Tenant
from services.metrics import bootstrap as metrics
from services.metrics.settings import MetricsSettings
from services.notifications import bootstrap as notifications
from services.notifications.settings import NotificationsSettings
from services.points import bootstrap as points
from services.points.entrypoints.terms import ProgrammeChange
from services.points.settings import PointsSettings
from shared.auth.principal import Principal
from shared.clock import FixedClock
from shared.db.engine import create_engine
from shared.errors import TreueError
from shared.http.app import Application
from shared.http.body import model_of
from shared.http.reference import reference_page
from tests.support.gateway import Gateway

NOW = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)
THEIRS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "x", "version": "1"},
    "paths": {
        "/v1/metrics/nps": {
            "get": {
                "operationId": "nps",
                "responses": {
                    "200": {
                        "description": "d",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
                    }
                },
            }
        },
        "/v1/secret": {"get": {"responses": {"200": {"description": "d"}}}},
        "/internal/tenants/{tenant}": {"get": {"responses": {"200": {"description": "d"}}}},
        "/v1/purchases": {"post": {"responses": {"200": {"description": "d"}}}},
    },
    "components": {"schemas": {"Accepted": {"type": "integer"}, "Problem": {"type": "object"}}},
}


async def test_the_document_is_valid_and_its_examples_fit(gateway: Gateway) -> None:
    answer = await gateway.http.get("/openapi.json")
    document = answer.json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    wanted = {
        "/v1/purchases",
        "/v1/purchases/batch",
        "/v1/returns",
        "/v1/feedback",
        "/v1/events/{event_id}",
        "/v1/tenants",
    }
    assert wanted <= set(document["paths"])
    for path, operations in document["paths"].items():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                schema = content["schema"] | {"components": document["components"]}
                assert content["examples"], path
                for example in content["examples"].values():
                    Draft202012Validator(schema).validate(example["value"])


async def test_the_services_paths_are_in_it(gateway: Gateway) -> None:
    own = (await gateway.http.get("/openapi.json")).json()
    whole = merged(own, {"metrics": THEIRS, "points": THEIRS}, owner_finder())
    validate(whole)
    assert "/v1/metrics/nps" in whole["paths"]
    assert not {"/v1/secret", "/internal/tenants/{tenant}"} & set(whole["paths"])
    assert whole["paths"]["/v1/purchases"] == own["paths"]["/v1/purchases"]
    schemas = whole["components"]["schemas"]
    assert schemas["metrics.Accepted"] == {"type": "integer"}
    assert schemas["Accepted"] == own["components"]["schemas"]["Accepted"]
    found = whole["paths"]["/v1/metrics/nps"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert found == {"$ref": "#/components/schemas/metrics.Accepted"}


@pytest.fixture(scope="session")
async def whole(gateway: Gateway) -> Document:
    """The document with what the services say of themselves, built on a day of its own."""
    common = {
        "database_url": "postgresql://nobody@127.0.0.1:1/nothing", "kafka_bootstrap": "unused",
        "internal_public_key": gateway.settings.internal_public_key, "smtp_host": "unused",
        "sender_address": "shop@example.org",
    }  # fmt: skip
    engine = create_engine("postgresql://nobody@127.0.0.1:1/nothing", name="test", pool_size=1)
    theirs: dict[Service, Document] = {
        "points": await document_of(points.build_api(PointsSettings.model_validate(common), engine)),
        "notifications": await document_of(
            notifications.build_api(NotificationsSettings.model_validate(common), engine)
        ),
        "metrics": await document_of(metrics.build_api(MetricsSettings.model_validate(common), engine)),
    }
    await engine.dispose()
    own = (await gateway.http.get("/openapi.json")).json()
    return finisher(FixedClock(NOW))(merged(own, theirs, owner_finder()))


async def document_of(app: Application) -> Document:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://service.test") as client:
        document: Document = (await client.get("/openapi.json")).json()
        validate(document)
        return document


def test_every_example_fits_its_schema(whole: Document) -> None:
    validate(whole)
    for (method, path), operation in operations(whole).items():
        parts = {"body": operation.get("requestBody", {})} | operation["responses"]
        for name, part in parts.items():
            content = part.get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                schema = content["schema"] | {"components": whole["components"]}
                found = [error.message for error in Draft202012Validator(schema).iter_errors(example["value"])]
                assert not found, (method, path, name)
    for name, answer in whole["components"]["responses"].items():
        content = answer["content"]["application/problem+json"]
        schema = content["schema"] | {"components": whole["components"]}
        Draft202012Validator(schema).validate(content["examples"]["typical"]["value"])
        assert ("Retry-After" in answer.get("headers", {})) == (name in ("RateLimited", "Unavailable"))


def test_every_main_route_has_an_example(whole: Document) -> None:
    for (method, path), operation in operations(whole).items():
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["examples"], (method, path)
    shown = {
        (method, path, status)
        for (method, path), operation in operations(whole).items()
        for status, answer in operation["responses"].items()
        if "examples" in answer.get("content", {}).get("application/json", {})
    }
    assert shown == set(answer_examples(NOW))


def test_every_operation_tells_its_problems(whole: Document) -> None:
    for (method, path), operation in operations(whole).items():
        assert {"401", "403", "503", "default"} <= set(operation["responses"]), (method, path)
        assert ("413" in operation["responses"]) == ("requestBody" in operation), (method, path)
        assert all(tag == tag.lower() for tag in operation["tags"])
    taken = whole["paths"]["/v1/purchases"]["post"]["responses"]
    assert list(taken) == ["202", "401", "403", "413", "415", "422", "429", "503", "default"]
    assert taken["503"] == {"$ref": "#/components/responses/Unavailable"}
    keys = whole["paths"]["/v1/keys"]["post"]["responses"]
    assert {"404", "409"} <= set(keys)
    assert "429" not in keys
    assert {"404", "429"} <= set(whole["paths"]["/v1/customers/{customer_id}/balance"]["get"]["responses"])


def test_every_operation_tells_who_may(whole: Document) -> None:
    shown = {place: operation["security"] for place, operation in operations(whole).items()}
    assert shown == {place: need.security for place, need in NEEDS.items()}
    assert all(need.sentence in operations(whole)[place]["description"] for place, need in NEEDS.items())
    schemes = set(whole["components"]["securitySchemes"])
    assert {scheme for security in shown.values() for one in security for scheme in one} == schemes
    assert "Needs the scope <code>customers:read</code>, or a customer&#x27;s token." in reference_page(whole)


@pytest.mark.parametrize("now", [NOW, datetime(2028, 2, 29, 0, 0, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)])
def test_the_gateways_reader_takes_every_example_of_any_day(now: datetime) -> None:
    tenant = Tenant("demo", "EUR", "Europe/Berlin", "de-DE", 1)
    at = Reception.at(tenant, Principal("demo", frozenset()), now, 0)
    examples = request_examples(now)
    for kind in (*EVENT_KINDS, CUSTOMERS):
        (found,) = Reader(kind).many(msgspec.json.encode(examples["post", f"/v1/{kind.name}/batch"]), at)
        assert not isinstance(found, TreueError), found
        if kind is not CUSTOMERS:
            body = msgspec.json.encode(examples["post", f"/v1/{kind.name}"])
            _, event = Reader(kind).one(body, at)
            assert now - timedelta(days=2) < event.occurred_at <= now
    Reader(profile_of("c-4711")).one(msgspec.json.encode(examples["put", "/v1/customers/{customer_id}"]), at)
    model_of(msgspec.json.encode(examples["put", "/v1/programme"]), ProgrammeChange)
    Reader(QUOTES).one(msgspec.json.encode(examples["post", "/v1/quotes"]), at)


async def test_the_examples_are_taken(gateway: Gateway) -> None:
    document = (await gateway.http.get("/openapi.json")).json()
    shop = await gateway.shop()
    for path in ("/v1/purchases", "/v1/returns", "/v1/cancellations", "/v1/feedback", "/v1/activities"):
        for name in (path, f"{path}/batch"):
            body = document["paths"][name]["post"]["requestBody"]["content"]["application/json"]["examples"]
            answer = await shop.post(name, body["typical"]["value"])
            assert answer.status_code == 202, answer.text
            assert not answer.json().get("rejected"), answer.text


def test_the_page_shows_the_examples(whole: Document) -> None:
    page = reference_page(whole)
    assert "49.90 EUR x 1 points = 49.90, rounded down: 49 points." in page
    assert "shop-260309-1001-paid" in page
    assert "urn:treue:problem:customer_not_found" in page
    for method, path, _ in answer_examples(NOW):
        start = page.index(f'id="{method}{path.replace("/", "-").replace("{", "").replace("}", "")}"')
        section = page[start : page.index("</section>", start)]
        assert "&quot;text&quot;" not in section, path
        assert " 1.5" not in section, path


async def test_the_page(gateway: Gateway) -> None:
    page = await gateway.http.get("/docs")
    assert page.status_code == 200
    assert "/v1/purchases" in page.text


def operations(document: Document) -> dict[tuple[str, str], Any]:
    """Those of the contract, by method and path."""
    return {
        (method, path): operation
        for path, found in document["paths"].items()
        for method, operation in found.items()
        if path.startswith("/v1/")
    }
