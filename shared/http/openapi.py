"""The OpenAPI 3.1 document: FastAPI's, with our bodies, our problems, and the hot routes that FastAPI never sees."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.http.body import JsonBody
from shared.http.caller import CALLER
from shared.http.openapi_problems import Document, add_problems

_REF: Final = "#/components/schemas/"


def openapi_of(api: FastAPI, described: Sequence[APIRouter]) -> Document:
    """The document of all routes; `described` are routers that only describe what hot handlers answer."""
    # A second application, so that describing a route never makes it callable.
    whole = FastAPI(title=api.title, version=api.version, description=api.description)
    whole.router.routes.extend(api.routes)
    for router in described:
        whole.include_router(router, dependencies=[Depends(CALLER)])
    document = whole.openapi()
    _add_bodies(document, whole)
    _one_style(document)
    add_problems(document)
    return document


def _one_style(document: Document) -> None:
    """Groups are written small, however their service wrote them."""
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            if "tags" in operation:
                operation["tags"] = [tag.lower() for tag in operation["tags"]]


def _add_bodies(document: Document, api: FastAPI) -> None:
    found = list(_bodies(api))
    models = {model for _, _, model in found}
    if not models:
        return
    references, definitions = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__qualname__)],
        ref_template=_REF + "{model}",
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    taken = {name for name, schema in definitions["$defs"].items() if schemas.get(name, schema) != schema}
    schemas.update((_input_name(name, taken), _renamed(schema, taken)) for name, schema in definitions["$defs"].items())
    for path, method, model in found:
        schema = _renamed(references[model, "validation"], taken)
        document["paths"][path][method]["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }


def _bodies(api: FastAPI) -> Iterator[tuple[str, str, type[BaseModel]]]:
    for route in iter_route_contexts(api.routes):
        dependant = getattr(route, "dependant", None)
        model = _model_of(dependant) if isinstance(dependant, Dependant) else None
        if model is not None and route.path_format is not None:
            for method in route.methods or ():
                yield route.path_format, method.lower(), model


def _model_of(dependant: Dependant) -> type[BaseModel] | None:
    for inner in dependant.dependencies:
        if isinstance(inner.call, JsonBody):
            return inner.call.model
    return None


def _input_name(name: str, taken: set[str]) -> str:
    """A model that reads otherwise than it writes has two schemas."""
    return f"{name}-Input" if name in taken else name


def _renamed(schema: Any, taken: set[str]) -> Any:
    if isinstance(schema, list):
        return [_renamed(item, taken) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _REF + _input_name(value.removeprefix(_REF), taken) if key == "$ref" else _renamed(value, taken)
        for key, value in schema.items()
    }
