"""The items of a batch whose JSON as a whole cannot be read: one item's bad bytes must not block the others.

Only brackets and strings are looked at. Where those fit together, every item's extent is known, whatever is wrong
inside of it: half a surrogate pair, NaN, bytes that are no UTF-8, a key that stands twice. What is wrong with an item
is said when the item is read by itself.
"""

import re
from collections.abc import Iterator
from typing import Final

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_head = re.compile(rb"\s*+\{\s*+(%b)\s*+:\s*+\[" % _STRING, re.DOTALL).match
_tokens = re.compile(rb'%b|[\[\]{},"]' % _STRING, re.DOTALL).finditer
_tail = re.compile(rb"\s*+\}\s*+").fullmatch
_OPENING: Final = {b"[": b"]", b"{": b"}"}
# A quote by itself begins a string that does not end.
_WRONG_INSIDE: Final = (b"]", b"}", b'"')
_WRONG_OUTSIDE: Final = (b"}", b'"')


def split_items(raw: bytes, name: str) -> list[bytes] | None:
    """The bytes of each item of `{"name": [...]}`; None where they cannot be told apart."""
    head = _head(raw)
    if head is None or head[1] != b'"%b"' % name.encode():
        return None
    items: list[bytes] = []
    start = head.end()
    for separator in _separators(raw, start):
        items.append(raw[start : separator.start()].strip())
        start = separator.end()
        if separator[0] == b"]":
            return _complete(items, raw[start:])
    return None


def _separators(raw: bytes, start: int) -> Iterator[re.Match[bytes]]:
    """The commas between the items, and the bracket behind the last; ends early where brackets or quotes do not fit
    together."""
    closing: list[bytes] = []
    for token in _tokens(raw, start):
        sign = token[0]
        if sign in _OPENING:
            closing.append(_OPENING[sign])
        elif closing and sign == closing[-1]:
            closing.pop()
        elif sign in _WRONG_INSIDE if closing else sign in _WRONG_OUTSIDE:
            return
        elif not closing and sign in (b",", b"]"):
            yield token


def _complete(items: list[bytes], rest: bytes) -> list[bytes] | None:
    """The items, if nothing but the end of the batch follows."""
    if _tail(rest) is None:
        return None
    return [] if items == [b""] else items
