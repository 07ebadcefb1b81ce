"""The page at /docs: whole, escaped, and without a need for the internet."""

from html.parser import HTMLParser
from typing import Any

from shared.http.reference import reference_page
from shared.http.schema_view import Row, SchemaView

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Treue <points>", "version": "1", "description": "One.\n\nTwo."},
    "paths": {
        "/v1/things/{id}": {
            "post": {
                "tags": ["things & more"],
                "summary": "Make <it>",
                "security": [{"bearer": []}],
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"201": {"description": "Made"}, "default": {"description": "A problem"}},
            },
            "get": {"responses": {"200": {"content": {"application/json": {"example": {"a": "it's"}}}}}},
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["name", "lines"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "description": "What it's called."},
                    "kind": {"enum": ["nps", "csat"]},
                    "when": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
                    "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                    "parent": {"$ref": "#/components/schemas/Thing"},
                },
            },
            "Line": {
                "type": "object",
                "required": ["sku"],
                "properties": {"sku": {"type": "string", "examples": ["s-1"]}},
            },
        }
    },
}


class _Tags(HTMLParser):
    """Opens and closes, and what is referred to."""

    VOID = frozenset({"meta", "br", "!doctype"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.anchors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.anchors.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere() -> None:
    page = reference_page(DOCUMENT)
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert {link for link in tags.links if not link.startswith("#")} == {"openapi.json"}
    assert {link[1:] for link in tags.links if link.startswith("#")} <= set(tags.anchors)
    assert "<script" not in page
    assert "Treue &lt;points&gt;" in page
    assert "Make &lt;it&gt;" in page


def test_a_call_can_be_copied_into_a_shell() -> None:
    page = reference_page(DOCUMENT)
    assert "curl -X POST &quot;$TREUE/v1/things/{id}&quot;" in page
    assert "Authorization: Bearer $KEY" in page
    assert "s-1" in page


def test_fields_are_told_in_rows_however_deep_they_refer_to_each_other() -> None:
    view = SchemaView(DOCUMENT)
    rows = {row.name: row for row in view.rows({"$ref": "#/components/schemas/Thing"})}
    assert rows["name"] == Row("name", "string", True, "What it's called. (minLength: 1)")
    assert rows["kind"] == Row("kind", '"nps" | "csat"', False, "")
    assert rows["when"].kind == "string or null"
    assert rows["lines"].kind == "list of object"
    assert rows["lines[].sku"].required
    assert "parent.parent.name" in rows
    assert max(name.count("parent") for name in rows) <= 6


def test_an_example_has_what_is_required() -> None:
    view = SchemaView(DOCUMENT)
    assert view.example({"$ref": "#/components/schemas/Thing"}) == {"name": "text", "lines": [{"sku": "s-1"}]}
    assert view.example({"anyOf": [{"type": "null"}, {"type": "string", "format": "date"}]}) == "2026-01-15"
    assert view.example({"type": "array", "items": {"type": "integer"}}) == [1]
    assert view.example({}) == {}
