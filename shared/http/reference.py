"""/docs: a page made from the OpenAPI document on the server. It needs no script, no CDN and no internet."""

import json
import re
import shlex
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from shared.http.reference_style import STYLE
from shared.http.schema_view import Row, SchemaView

Document = dict[str, Any]
Operation = dict[str, Any]
_CODE: Final = re.compile("`([^`]+)`")
_METHODS: Final = ("get", "post", "put", "patch", "delete")


def reference_page(document: Document) -> str:
    """The page as HTML."""
    info = document["info"]
    groups = _by_tag(document)
    view = SchemaView(document)
    sections = "".join(
        f"<h2>{escape(tag)}</h2>" + "".join(_operation(view, *one) for one in operations)
        for tag, operations in groups.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style></head><body>{_navigation(groups)}"
        f"<main><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
        f"{_text(info.get('description', ''))}"
        '<p>The same as a document for machines: <a href="openapi.json">openapi.json</a></p>'
        f"{sections}{_problem(view, document)}</main></body></html>"
    )


def _by_tag(document: Document) -> dict[str, list[tuple[str, str, Operation]]]:
    groups: dict[str, list[tuple[str, str, Operation]]] = {}
    for path, operations in document.get("paths", {}).items():
        for method in _METHODS:
            if method in operations:
                tag = (operations[method].get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append((method, path, operations[method]))
    return groups


def _navigation(groups: dict[str, list[tuple[str, str, Operation]]]) -> str:
    links = "".join(
        f"<h3>{escape(tag)}</h3>"
        + "".join(
            f'<a href="#{_anchor(method, path)}" title="{escape(path)}">'
            f"{_badge(method)} {escape(operation.get('summary') or path)}</a>"
            for method, path, operation in operations
        )
        for tag, operations in groups.items()
    )
    return f"<nav>{links}</nav>"


def _operation(view: SchemaView, method: str, path: str, operation: Operation) -> str:
    return (
        f'<section id="{_anchor(method, path)}"><h3>{_badge(method)} <code>{escape(path)}</code></h3>'
        f"<p><b>{escape(operation.get('summary', ''))}</b></p>{_text(operation.get('description', ''))}"
        f"{''.join(_parts(view, method, path, operation))}</section>"
    )


def _parts(view: SchemaView, method: str, path: str, operation: Operation) -> Iterator[str]:
    if parameters := operation.get("parameters"):
        rows = [_parameter(view, one) for one in parameters]
        yield "<h4>Parameters</h4>" + _table(rows)
    body = _content(operation.get("requestBody", {}))
    if body:
        yield "<h4>Body</h4>" + _table(view.rows(body.get("schema", {})))
    yield f"<pre>{escape(_curl(method, path, _example(view, body) if body else None, operation))}</pre>"
    problems: list[str] = []
    for status, answer in operation.get("responses", {}).items():
        if "$ref" in answer:
            problems.append(status)
        elif status != "default":  # the problem, which all have; it is described once
            yield from _answer(view, status, answer)
    if problems:
        yield f'<p><a href="#problems">Problems</a>: {escape(", ".join(problems))}</p>'


def _answer(view: SchemaView, status: str, answer: dict[str, Any]) -> Iterator[str]:
    yield f"<h4>{escape(status)} {escape(answer.get('description', ''))}</h4>"
    if content := _content(answer):
        yield _table(view.rows(content.get("schema", {})))
        yield f"<pre>{escape(_json(_example(view, content)))}</pre>"


def _problem(view: SchemaView, document: Document) -> str:
    components = document.get("components", {})
    rows = _table(view.rows(components.get("schemas", {}).get("Problem", {})))
    found = "".join(_known_problem(one) for one in components.get("responses", {}).values())
    return f'<h2 id="problems">Problems</h2><p>Every error is a problem (RFC 9457).</p>{rows}{found}'


def _known_problem(answer: dict[str, Any]) -> str:
    content = answer.get("content", {}).get("application/problem+json", {})
    shown = [one["value"] for one in content.get("examples", {}).values()]
    return "".join(
        f"<h4>{escape(str(one.get('status', '')))} {escape(answer.get('description', ''))}</h4>"
        f"<pre>{escape(_json(one))}</pre>"
        for one in shown
    )


def _parameter(view: SchemaView, parameter: dict[str, Any]) -> Row:
    kind = f"{view.kind(parameter.get('schema', {}))}, {parameter['in']}"
    about = view.about({**parameter.get("schema", {}), "description": parameter.get("description", "")})
    return Row(parameter["name"], kind, bool(parameter.get("required")), about)


def _content(part: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a body or an answer."""
    found: dict[str, Any] = part.get("content", {}).get("application/json", {})
    return found


def _example(view: SchemaView, content: dict[str, Any]) -> Any:
    named = [one.get("value") for one in content.get("examples", {}).values()]
    return content.get("example", named[0] if named else view.example(content.get("schema", {})))


def _curl(method: str, path: str, body: Any, operation: Operation) -> str:
    lines = [f'curl{"" if method == "get" else f" -X {method.upper()}"} "$TREUE{path}"']
    if operation.get("security"):
        lines.append('-H "Authorization: Bearer $KEY"')
    if body is not None:
        lines.append(f"--json {shlex.quote(_json(body))}")
    return " \\\n  ".join(lines)


def _table(rows: Iterator[Row] | list[Row]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(row.name)}</code>{'' if row.required else ' <i>optional</i>'}</td>"
        f"<td>{escape(row.kind)}</td><td>{_inline(row.about)}</td></tr>"
        for row in rows
    )
    return f"<table>{cells}</table>" if cells else ""


def _text(said: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in said.split("\n\n") if part)


def _inline(said: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(said))


def _badge(method: str) -> str:
    return f'<span class="{method}">{method.upper()}</span>'


def _anchor(method: str, path: str) -> str:
    return escape(f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
