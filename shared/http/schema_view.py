"""A JSON schema as people read it: a row per field, and an example."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Schema = dict[str, Any]
_REF: Final = "#/components/schemas/"
_NESTING_MAX: Final = 5
_LIMITS: Final = (
    "format",
    "pattern",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "default",
)
_SAMPLES: Final[dict[str, Any]] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
_FORMATS: Final[dict[str, Any]] = {
    "date-time": "2026-01-15T10:00:00Z",
    "date": "2026-01-15",
    "uuid": "01a2021c-c576-7755-85a4-3f46a91dac91",
    "email": "ada@example.org",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A field of a body: `lines[].sku`, what it is, whether it must be there, and what is said of it."""

    name: str
    kind: str
    required: bool
    about: str


class SchemaView:
    """Reads the schemas of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._named: dict[str, Schema] = document.get("components", {}).get("schemas", {})

    def rows(self, schema: Schema, prefix: str = "", nesting: int = 0) -> Iterator[Row]:
        """All fields, those of inner objects after the one that holds them."""
        schema = self._plain(schema)
        if schema.get("type") == "array":
            yield from self.rows(schema.get("items", {}), f"{prefix}[]", nesting)
        required = set(schema.get("required", ()))
        for name, field in schema.get("properties", {}).items():
            place = f"{prefix}.{name}" if prefix else name
            yield Row(place, self.kind(field), name in required, self.about(field))
            if nesting < _NESTING_MAX:
                yield from self.rows(field, place, nesting + 1)

    def kind(self, schema: Schema) -> str:
        """Its type in words: `list of string`, `"nps" | "csat"`, `integer or null`."""
        if alternatives := schema.get("anyOf") or schema.get("oneOf"):
            return " or ".join(self.kind(one) for one in alternatives)
        schema = self._plain(schema)
        values = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
        if values:
            return " | ".join(f'"{value}"' for value in values)
        if schema.get("type") == "array":
            return f"list of {self.kind(schema.get('items', {}))}"
        return str(schema.get("type", "any"))

    def example(self, schema: Schema, nesting: int = 0) -> Any:
        """A value that the schema allows, as it would be sent."""
        schema = self._plain(schema)
        for given in (*schema.get("examples", ()), schema.get("example"), schema.get("default")):
            if given is not None:
                return given
        if "enum" in schema or "const" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        if schema.get("type") == "array":
            return [self.example(schema.get("items", {}), nesting + 1)] if nesting < _NESTING_MAX else []
        if "properties" in schema:
            return self._object(schema, nesting)
        return _FORMATS.get(schema.get("format", "")) or _SAMPLES.get(schema.get("type", ""), {})

    def _object(self, schema: Schema, nesting: int) -> dict[str, Any]:
        wanted = schema.get("required") or schema["properties"]
        if nesting >= _NESTING_MAX:
            return {}
        return {name: self.example(schema["properties"][name], nesting + 1) for name in wanted}

    def _plain(self, schema: Schema) -> Schema:
        """The schema behind references and behind `X or null`."""
        while True:
            if "$ref" in schema:
                schema = self._named.get(schema["$ref"].removeprefix(_REF), {})
            elif real := [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]:
                schema = {**real[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
            else:
                return schema

    def about(self, schema: Schema) -> str:
        """What is said of it, and its limits."""
        said = schema.get("description", "")
        schema = self._plain(schema)
        limits = [f"{name}: {schema[name]}" for name in _LIMITS if schema.get(name) is not None]
        return " ".join(
            filter(None, (said or schema.get("description", ""), f"({', '.join(limits)})" if limits else ""))
        )
