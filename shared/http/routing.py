"""Finds what answers a request: one table for hot handlers and FastAPI's routes alike.

FastAPI's own router tries one route after the other and wraps each include in another router; here a plain path is one
look-up and a template one regular expression, and the handler that FastAPI made for a route is called directly.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from starlette.types import ASGIApp

from shared.errors import NotFoundError
from shared.http.errors import HttpError, MethodNotAllowedError
from shared.http.hot import HotHandler
from shared.http.queries import KnownQuery

_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")
UNMATCHED: Final = "unmatched"
# The method of a route that takes any: whoever stands behind it knows which.
ANY: Final = "*"
_NO_QUERIES: Final[Mapping[tuple[str, str], KnownQuery]] = {}


class Route:
    """Who answers a method on a path: a hot handler, or an ASGI application of FastAPI's making; and what may stand in
    the query, where that is known here."""

    __slots__ = ("app", "hot", "match", "method", "query", "template")

    def __init__(
        self,
        method: str,
        template: str,
        hot: HotHandler | None = None,
        app: ASGIApp | None = None,
        query: KnownQuery | None = None,
    ) -> None:
        self.method = method
        self.template = template
        self.hot = hot
        self.app = app
        self.query = query
        self.match = _pattern(template).fullmatch

    @property
    def is_plain(self) -> bool:
        """Whether it has no parameters."""
        return "{" not in self.template


class Table:
    """All routes of an application. Plain paths go before templates; templates (`/a/{id}`, `/a/{rest:path}`) are tried
    in the order in which they were given."""

    def __init__(self, routes: Iterator[Route]) -> None:
        self._routes = list(routes)
        self._plain = {(route.method, route.template): route for route in reversed(self._routes) if route.is_plain}
        self._templates: dict[str, list[Route]] = {}
        for route in self._routes:
            if not route.is_plain:
                self._templates.setdefault(route.method, []).append(route)

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        """The route of a request with its parameters; None when there is none."""
        plain = self._plain.get((method, path))
        if plain is not None:
            return plain, {}
        for route in self._templates.get(method, ()):
            found = route.match(path)
            if found is not None:
                return route, found.groupdict()
        return (None, {}) if method == ANY else self.find(ANY, path)

    def allowed(self, path: str, theirs: str = "") -> str:
        """The methods of a path, as `Allow` lists them; empty where nothing is. Whatever has GET has HEAD, and whatever
        is there tells its OPTIONS. `theirs`: what a route of any method said of those behind it."""
        found = {route.method for route in self._routes if route.match(path)} - {ANY}
        found.update(name.strip() for name in theirs.split(",") if name.strip())
        if not found:
            return ""
        return ", ".join(sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())))

    def refusal(self, path: str) -> HttpError | NotFoundError:
        """Why nothing was found: the method, or the path."""
        if allowed := self.allowed(path):
            return MethodNotAllowedError(allowed)
        return NotFoundError("There is nothing at this path; /docs lists what there is.", code="no_such_path")


def hot_routes(
    handlers: Mapping[tuple[str, str], HotHandler], queries: Mapping[tuple[str, str], KnownQuery] = _NO_QUERIES
) -> Iterator[Route]:
    """The routes of hot handlers, with the queries that are known of them."""
    for (method, template), handler in handlers.items():
        yield Route(method, template, hot=handler, query=queries.get((method, template)))


def _pattern(template: str) -> re.Pattern[str]:
    pieces = _PARAMETER.split(template)  # text, name, ":path" or None, text, ...
    pattern = re.escape(pieces[0])
    for name, path, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        pattern += f"(?P<{name}>{'.+' if path else '[^/]+'}){re.escape(text)}"
    if "{" in "".join(pieces[0::3]):
        raise ValueError(f"{template}: a parameter is written {{name}} or {{name:path}}")
    return re.compile(pattern, re.DOTALL)
