"""Whether a changed event can still be told from the bytes of before, and its bytes by the readers of before.

Allowed: a new field with a default; a wider type (deploy its readers first); other words. Everything else needs a new
version of the event. What breaks, and whom:

    a field is gone or renamed           readers of before, who need it or lose it
    a required field is new              bytes of before lack it
    a field is no longer required        readers of before insist on it
    a type is narrower                   bytes of before may hold what it no longer takes
    a default is another one             it is left out of the bytes: their meaning would change
    fields stand in another order        the canonical bytes change: a repeated event would look like another one
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("type", "format", "pattern", "contentEncoding", "multipleOf")


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a change from `old` to `new` breaks, one sentence each; empty when it is allowed."""
    return list(_Comparison(old, new).objects("", old, new))


class _Comparison:
    """Two documents side by side, with their references."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old.get("$defs", {}), new.get("$defs", {})

    def objects(self, at: str, old: Schema, new: Schema) -> Iterator[str]:
        """Compare two objects field by field."""
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before.keys() - after.keys():
            yield f"{at}/{name} is gone"
        needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(needed - needed_before):
            yield f"{at}/{name} is required now"
        for name in sorted((needed_before - needed) & after.keys()):
            yield f"{at}/{name} is no longer required"
        if [name for name in before if name in after] != [name for name in after if name in before]:
            yield f"{at or '/'}: the fields stand in another order"
        for name in before.keys() & after.keys():
            yield from self.types(f"{at}/{name}", before[name], after[name])

    def types(self, at: str, old: Schema, new: Schema) -> Iterator[str]:
        """Compare what two schemas accept: the new one must take everything that the old one took."""
        if old.get("default") != new.get("default"):
            yield f"{at} has another default: {new.get('default')!r} for {old.get('default')!r}"
        for branch in self._branches(old, self._old):
            verdicts = [list(self._narrower(at, branch, wide)) for wide in self._branches(new, self._new)]
            if all(verdicts):  # no branch of the new schema takes all that this one took
                yield from min(verdicts, key=len)

    @staticmethod
    def _branches(schema: Schema, parts: Schema) -> list[Schema]:
        branches = schema.get("anyOf", [schema])
        return [parts[branch["$ref"].rpartition("/")[2]] if "$ref" in branch else branch for branch in branches]

    def _narrower(self, at: str, old: Schema, new: Schema) -> Iterator[str]:
        for word in _EXACT:
            if word in new and new[word] != old.get(word):
                yield f"{at}: {word} is {new[word]!r} for {old.get(word)!r}"
        if (values := _values(new)) and not (_values(old) and _values(old) <= values):
            yield f"{at} takes only {sorted(map(str, values))} now"
        yield from _tighter(at, old, new)
        if "properties" in old or "properties" in new:
            yield from self.objects(at, old, new)
        for word in ("items", "additionalProperties"):
            if isinstance(new.get(word), dict):
                yield from self.types(f"{at}/*", old.get(word) or {}, new[word])
            elif new.get(word) is False and old.get(word) is not False:
                yield f"{at} takes nothing unknown any more"


def _values(schema: Schema) -> set[Any]:
    return {schema["const"]} if "const" in schema else set(schema.get("enum", ()))


def _tighter(at: str, old: Schema, new: Schema) -> Iterator[str]:
    for word in _LOWER_BOUNDS:
        if word in new and new[word] > old.get(word, float("-inf")):
            yield f"{at}: {word} is {new[word]}"
    for word in _UPPER_BOUNDS:
        if word in new and new[word] < old.get(word, float("inf")):
            yield f"{at}: {word} is {new[word]}"
