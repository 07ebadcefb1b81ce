"""The FastAPI part of an application: cold routes, with everything between us and the router taken out."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from shared.errors import InvalidError, TreueError
from shared.http.caller import Authenticate, current_caller
from shared.http.errors import MethodNotAllowedError, StatusError
from shared.http.faults import request_faults_of
from shared.http.hot import no_route

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


class Api(FastAPI):
    """FastAPI without its middleware: errors go up to our application, which renders them once for all routes."""

    def build_middleware_stack(self) -> ASGIApp:
        return AsyncExitStackMiddleware(self.router)


def create_api(
    routers: Sequence[APIRouter],
    open_routers: Sequence[APIRouter],
    authenticate: Authenticate | None,
    lifespan: Lifespan | None,
    **about: Any,
) -> Api:
    """All routes of `routers` need a caller; those of `open_routers` see to it themselves."""
    api = Api(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan, **about)
    api.state.authenticate = authenticate
    for router in routers:
        if authenticate is None:
            raise ValueError("routes that need a caller need a verifier; open ones belong into open_routers")
        _refuse_bodies(router)
        api.include_router(router, dependencies=[Depends(current_caller)])
    for router in open_routers:
        _refuse_bodies(router)
        api.include_router(router)
    return api


def error_of(error: Exception, allowed_beside: Iterable[str] = ()) -> TreueError | None:
    """What a failure means to the client; None for one of our own making. `allowed_beside` are the methods of this
    path that FastAPI does not know of."""
    match error:
        case TreueError():
            return error
        case RequestValidationError():
            return InvalidError("The request is not acceptable.", faults=request_faults_of(error.errors()))
        case HTTPException(status_code=404 | 405):
            allowed = {*allowed_beside, *filter(None, (error.headers or {}).get("Allow", "").split(", "))}
            return MethodNotAllowedError(", ".join(sorted(allowed))) if allowed else no_route()
        case HTTPException():
            return StatusError(error.status_code, str(error.detail))
        case _:
            return None


def _refuse_bodies(router: APIRouter) -> None:
    """FastAPI reads a body before it asks who calls, without a limit, and takes a key that stands twice."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.body_field is not None:
            raise ValueError(f"{route.path} takes its body from FastAPI; use shared.http.body.json_body")
