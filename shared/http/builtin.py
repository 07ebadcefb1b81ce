"""The routes that every service has: health, metrics, and its own description."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from fastapi import APIRouter, FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.http.health import Readiness
from shared.http.hot import HotHandler, HotRequest, HotResponse
from shared.http.openapi import openapi_of
from shared.http.openapi_problems import Document
from shared.http.reference import reference_page

# A last hand on the document: the gateway merges those of the services into its own.
OpenApiHook = Callable[[Document], Awaitable[Document]]

BUILTIN: Final = frozenset({"/livez", "/readyz", "/metrics", "/openapi.json", "/docs"})
_HTML = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
)
_METRICS = ((b"content-type", CONTENT_TYPE_LATEST.encode()),)


def builtin_routes(
    api: FastAPI, described: Sequence[APIRouter], readiness: Readiness, hook: OpenApiHook | None
) -> dict[tuple[str, str], HotHandler]:
    """Them, as hot routes: they shall answer whatever state FastAPI is in."""

    async def livez(_: HotRequest) -> HotResponse:
        return HotResponse(200, b'{"status":"alive"}')

    async def readyz(_: HotRequest) -> HotResponse:
        away = await readiness.require()
        answer: dict[str, object] = {"status": "ready", "checks": readiness.names}
        return HotResponse(200, msgspec.json.encode(answer | ({"away": away} if away else {})))

    async def metrics(_: HotRequest) -> HotResponse:
        return HotResponse(200, generate_latest(), _METRICS)

    async def document() -> Document:
        found = openapi_of(api, described)
        return found if hook is None else await hook(found)

    async def openapi(_: HotRequest) -> HotResponse:
        return HotResponse(200, msgspec.json.encode(await document()))

    async def docs(_: HotRequest) -> HotResponse:
        return HotResponse(200, reference_page(await document()).encode(), _HTML)

    return {
        ("GET", "/livez"): livez,
        ("GET", "/readyz"): readyz,
        ("GET", "/metrics"): metrics,
        ("GET", "/openapi.json"): openapi,
        ("GET", "/docs"): docs,
    }
