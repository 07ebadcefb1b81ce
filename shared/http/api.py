"""What is FastAPI's in an application: the handlers of cold routes, their OpenAPI document, and the lifespan. Its
router and its middleware are not used: errors go up to our application, which renders them once for all routes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from shared.errors import InvalidError, TreueError, UnavailableError
from shared.http.caller import CALLER, Authenticate
from shared.http.errors import StatusError
from shared.http.faults import request_faults_of
from shared.http.queries import KnownQuery, known_query
from shared.http.routing import Route
from shared.messaging.failures import Verdict, verdict

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def create_api(
    routers: Sequence[APIRouter],
    open_routers: Sequence[APIRouter],
    authenticate: Authenticate | None,
    lifespan: Lifespan | None,
    **about: Any,
) -> FastAPI:
    """All routes of `routers` need a caller, before anything else of the request is looked at; those of `open_routers`
    see to it themselves."""
    if routers and authenticate is None:
        raise ValueError("routes that need a caller need a verifier; others belong into open_routers")
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan, **about)
    api.state.authenticate = authenticate
    for router in routers:
        api.include_router(router, dependencies=[Depends(CALLER)])
    for router in open_routers:
        api.include_router(router)
    return api


def api_routes(api: FastAPI) -> Iterator[Route]:
    """FastAPI's routes for our table."""
    for context in iter_route_contexts(api.routes):
        if not context.methods or context.path is None or context.app is None:
            raise ValueError(f"{context.path}: only plain HTTP routes are served")
        if context.body_field is not None:
            # FastAPI reads a body before it asks who calls, without a limit, and takes a key that stands twice.
            raise ValueError(f"{context.path} takes its body from FastAPI; use shared.http.body.json_body")
        app: ASGIApp = AsyncExitStackMiddleware(context.app)
        query = known_query(context.dependant)
        for method in context.methods:
            yield Route(method, context.path, app=app, query=query)


def described_queries(described: Sequence[APIRouter]) -> dict[tuple[str, str], KnownQuery]:
    """What hot routes take, by method and path, from the routers that describe them. All of them need a caller."""
    return {
        (method, context.path): replace(known_query(context.dependant), needs_caller=True)
        for router in described
        for context in iter_route_contexts(router.routes)
        for method in context.methods or ()
        if context.path is not None
    }


def error_of(error: Exception) -> TreueError | None:
    """What a failure means to the client; None for one of our own making. What is away now may be back at the next
    attempt, which is safe to make: 503."""
    match error:
        case TreueError():
            return error
        case RequestValidationError():
            return InvalidError("The request is not acceptable.", faults=request_faults_of(error.errors()))
        case HTTPException():
            return StatusError(error.status_code, str(error.detail))
        case _ if verdict(error) is Verdict.RETRY:
            return UnavailableError("The database does not answer.", code="database_unavailable")
        case _:
            return None
