"""Reads JSON strictly: what two readers could understand differently, or what costs us dearly, is refused.

Refused are: an empty body, bytes that are not UTF-8, a key that stands twice in an object, NaN and Infinity and numbers
beyond a double, integers of more than 18 digits, text with NUL or half a surrogate pair, and nesting beyond 32 levels.
All in time linear in the size; the depth is checked before the parser sees the bytes, so that it cannot overflow.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from shared.errors import Fault, InvalidError, MalformedError

DEPTH_MAX: Final = 32
INTEGER_DIGITS_MAX: Final = 18
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NEITHER_QUOTE_NOR_BRACKET = bytes(set(range(256)) - set(b'"[]{}'))
_STRING = re.compile(rb'"[^"]*+"?')
_SUSPICIOUS_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def read_json(raw: bytes, max_depth: int = DEPTH_MAX) -> Any:
    """What the bytes mean.

    Raises MalformedError for what is no JSON, InvalidError (with pointers) for text that nobody can store.
    """
    if not raw or raw.isspace():
        raise MalformedError("The body is empty; a JSON document is expected.")
    _check_depth(raw, max_depth)
    value = _parse(raw)
    # Text that came in plain was checked when it was decoded; only an escape can hide these.
    if _SUSPICIOUS_ESCAPE.search(raw) and (faults := list(_bad_text(value, ""))):
        raise InvalidError("The body holds text that cannot be stored.", faults=faults)
    return value


def read_object(raw: bytes, max_depth: int = DEPTH_MAX) -> dict[str, Any]:
    """The same where only an object makes sense. Raises InvalidError for anything else."""
    value = read_json(raw, max_depth)
    if not isinstance(value, dict):
        fault = Fault("", "object", "The body must be a JSON object.")
        raise InvalidError("The body must be a JSON object.", faults=[fault])
    return value


def pointer(parts: Iterator[str | int] | list[str | int] | tuple[str | int, ...]) -> str:
    """The JSON pointer (RFC 6901) to a place: `/lines/0/sku`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _parse(raw: bytes) -> Any:
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedError(f"The body is not UTF-8: byte {error.start} fits nothing.") from error
    except json.JSONDecodeError as error:
        raise MalformedError(f"The body is not JSON: {error.msg} at character {error.pos}.") from error


def _check_depth(raw: bytes, max_depth: int) -> None:
    # Few brackets cannot nest deeply: this settles nearly every body by counting.
    if raw.count(b"[") + raw.count(b"{") <= max_depth:
        return
    brackets = _brackets(raw)
    for _ in range(max_depth):  # each turn takes the innermost level away
        brackets = brackets.replace(b"[]", b"")
    if b"[]" in brackets or brackets.count(b"[") > max_depth:
        raise MalformedError(f"The body is nested more than {max_depth} levels deep.")


def _brackets(raw: bytes) -> bytes:
    """All brackets that are not in strings, as square ones; each step runs over the bytes in C."""
    if b"\\" in raw:
        raw = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    kept = raw.translate(_SQUARE, _NEITHER_QUOTE_NOR_BRACKET).replace(b'""', b"")
    # Quotes are left where a string holds brackets.
    return _STRING.sub(b"", kept) if b'"' in kept else kept


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedError(f"The key {twice[:100]!r} stands twice in one object.")
    return found


def _integer(digits: str) -> int:
    if len(digits) - digits.startswith("-") > INTEGER_DIGITS_MAX:
        raise MalformedError(f"An integer has more than {INTEGER_DIGITS_MAX} digits.")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise MalformedError("A number is beyond what can be counted.")
    return value


def _constant(name: str) -> Any:
    raise MalformedError(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _bad_text(value: object, place: str) -> Iterator[Fault]:
    """Every text with NUL or half a pair of surrogates. Recurses no deeper than the depth that was checked."""
    if isinstance(value, str):
        if "\0" in value or not _encodable(value):
            yield Fault(place, "text", "NUL characters and lone surrogates are not accepted.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _bad_text(key, place)
            yield from _bad_text(inner, f"{place}{pointer((key.encode('utf-8', 'replace').decode(),))}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _bad_text(inner, f"{place}/{index}")


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
