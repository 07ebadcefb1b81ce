"""Lets pages of other sites ask from a browser (CORS): those of the origins that are listed, and no others.

Nothing here gives access: a browser asks before it sends a credential and before it shows a page what was answered. Our
credentials stand in a header that no browser sends by itself, so that no answer allows cookies.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.types import Scope

Headers = tuple[tuple[bytes, bytes], ...]

_METHODS: Final = b"GET, POST, PUT, DELETE"
_ALLOWED: Final = b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Correlation-Id"
_EXPOSED: Final = b"ETag, Location, Retry-After, X-Correlation-Id"
_PREFLIGHT_KEPT_S: Final = 600
# What is answered differs by the origin that asks, also for one that gets nothing.
_VARY: Final = ((b"vary", b"Origin"),)


class Cors:
    """The answers to browsers, below one path."""

    def __init__(self, origins: Iterable[str], below: str) -> None:
        self._below = below
        self._by_origin: dict[bytes | None, Headers] = {
            origin.encode(): (
                *_VARY,
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-expose-headers", _EXPOSED),
            )
            for origin in origins
        }

    def stamp(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Headers:
        """What every answer to this request carries, be it a problem."""
        return self._by_origin.get(headers.get(b"origin"), _VARY) if scope["path"].startswith(self._below) else ()

    def preflight(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Headers:
        """What a browser hears that asks whether it may; nothing if this is another question, or another origin's. It
        brings no credential, and hears the same of every path: what is there is told to callers alone."""
        asked = scope["method"] == "OPTIONS" and b"access-control-request-method" in headers
        if not asked or headers.get(b"origin") not in self._by_origin or not scope["path"].startswith(self._below):
            return ()
        return (
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _ALLOWED),
            (b"access-control-max-age", b"%d" % _PREFLIGHT_KEPT_S),
        )
