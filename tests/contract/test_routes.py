"""What holds on every route of the OpenAPI document, asked of the gateway with all services behind it and of each
service by itself."""

import re
from typing import Any

import pytest
from httpx import AsyncClient

from tests.support.applications import NAMES, asking

METHODS = frozenset({"get", "put", "post", "delete", "patch"})
PARAMETER = re.compile(r"\{\w+\}")


async def paths_of(http: AsyncClient) -> dict[str, dict[str, Any]]:
    """The operations of the service's document, by a path that they answer."""
    document: dict[str, Any] = (await http.get("/openapi.json")).json()
    return {
        path: {method: operation for method, operation in found.items() if method in METHODS}
        for path, found in document["paths"].items()
    }


def filled(path: str) -> str:
    """A path of a template."""
    return PARAMETER.sub("c-1", path)


@pytest.mark.parametrize("name", NAMES)
async def test_no_route_takes_a_parameter_that_it_does_not_declare(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(name, monkeypatch) as http:
        paths = await paths_of(http)
        assert len(paths) > (25 if name == "gateway" else 2)
        for path, operations in paths.items():
            for method, operation in operations.items():
                declared = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
                answer = await http.request(
                    method, filled(path) + "?custmer_id=ada&limit=&after_event=&zz%7Bz=", json={}
                )
                found = answer.json()
                assert (answer.status_code, found["code"]) == (422, "invalid"), (method, path, found)
                assert "/custmer_id" in found["detail"], (method, path)
                refused = {error["pointer"]: error for error in found["errors"]}
                wanted = {"custmer_id", "limit", "after_event", "zz{z"} - set(declared)
                assert set(refused) == {f"/{name}" for name in wanted}, (method, path)
                for error in refused.values():
                    assert (error["rule"], error["in"]) == ("unknown", "query")
                    assert all(name in error["detail"] for name in declared), (method, path)


@pytest.mark.parametrize("name", NAMES)
async def test_strangers_are_told_nothing_of_parameters(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(name, monkeypatch) as http:
        paths = await paths_of(http)
        del http.headers["authorization"]
        for path, operations in paths.items():
            for method in operations:
                answer = await http.request(method, filled(path) + "?custmer_id=ada", json={})
                assert answer.status_code == 401, (method, path)


@pytest.mark.parametrize("name", NAMES)
async def test_options_and_refusals_name_the_methods_that_a_path_has(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(name, monkeypatch) as http:
        paths = await paths_of(http)
        for path in paths:
            has = methods_of(filled(path), paths)
            told = await http.options(filled(path))
            assert (told.status_code, told.headers.get("allow"), told.content) == (204, ", ".join(sorted(has)), b""), (
                path
            )
            for method in sorted({"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"} - has):
                refused = await http.request(method, filled(path))
                assert (refused.status_code, refused.headers["allow"]) == (405, told.headers["allow"]), (method, path)
                if method != "HEAD":
                    assert told.headers["allow"] in refused.json()["detail"]


def methods_of(path: str, paths: dict[str, dict[str, Any]]) -> set[str]:
    """What the document has for a path: also by a template that fits, as /v1/customers/batch could be a customer's."""
    found = {
        method.upper()
        for template, operations in paths.items()
        if re.fullmatch(PARAMETER.sub("[^/]+", template), path)
        for method in operations
    }
    return found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())
