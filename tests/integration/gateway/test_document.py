"""One OpenAPI document of the platform."""

from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from services.gateway.entrypoints.described import with_examples
from services.gateway.entrypoints.forward import owner_finder
from services.gateway.forwarding.documents import merged
from tests.support.gateway import Gateway

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


async def test_the_examples_are_taken(gateway: Gateway) -> None:
    document = with_examples((await gateway.http.get("/openapi.json")).json())
    shop = await gateway.shop()
    for path in ("/v1/purchases", "/v1/returns", "/v1/cancellations", "/v1/feedback", "/v1/activities"):
        for name in (path, f"{path}/batch"):
            body = document["paths"][name]["post"]["requestBody"]["content"]["application/json"]["examples"]
            answer = await shop.post(name, _past(body["typical"]["value"]))
            assert answer.status_code == 202, answer.text
            assert not answer.json().get("rejected"), answer.text


async def test_the_page(gateway: Gateway) -> None:
    page = await gateway.http.get("/docs")
    assert page.status_code == 200
    assert "/v1/purchases" in page.text


def _past(body: Any) -> Any:
    if isinstance(body, list):
        return [_past(one) for one in body]
    if isinstance(body, dict):
        return {name: "2026-11-01T00:00:00Z" if name == "occurred_at" else _past(one) for name, one in body.items()}
    return body
