"""Whatever else is asked below /v1: who has no credential hears that first, and learns nothing about what exists."""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from fastapi import APIRouter, Request

from shared.http.api import api_routes
from shared.http.hot import HotHandler
from shared.http.routing import Table, hot_routes

TEMPLATE: Final = "/v1/{rest:path}"
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def nowhere_router(hot: Mapping[tuple[str, str], HotHandler]) -> APIRouter:
    """Its route; it must be the last."""
    router = APIRouter(include_in_schema=False)
    known: list[Table] = []

    @router.api_route(TEMPLATE, methods=_METHODS)
    async def nowhere(request: Request, rest: str) -> None:  # noqa: ARG001 - the template's parameter
        if not known:
            cold = (route for route in api_routes(request.app) if route.template != TEMPLATE)
            known.append(Table(chain(hot_routes(hot), cold)))
        raise known[0].refusal(request.scope["path"])

    return router
