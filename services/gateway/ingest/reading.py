"""Bytes -> what came in, and its event.

The fast way decodes into structs. What it cannot see is a key that stands twice: the last one wins silently. So what
was read is written back: the struct gives exactly as many quotes as the body has, unless a key stood twice. An escaped
quote (`\\u0022`) could hide one, so that bodies with such an escape, and whatever else is in doubt, are read strictly.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec

from services.gateway.ingest.contracts import Given, Profile
from services.gateway.ingest.kinds import Kind
from services.gateway.ingest.models import BATCH_MAX
from services.gateway.ingest.reception import Reception
from services.gateway.ingest.splitting import split_items
from services.gateway.ingest.strictly import read_strictly, unacceptable, within
from shared.errors import Fault, InvalidError, MalformedError, TreueError
from shared.events.contract import Event
from shared.http.json import pointer, read_object

Read = tuple[Given | Profile, Event]

_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
# The escapes of NUL and other control characters and of the quote; behind an escaped backslash they are none, which
# costs such a body the strict way and nothing else.
_DOUBTFUL_ESCAPES = (b"\\u000", b"\\u001", b"\\u002")
_encode = msgspec.json.Encoder().encode


class Reader:
    """Reads one kind of body, alone or in batches."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        many = Annotated[list[kind.contract], msgspec.Meta(min_length=1, max_length=BATCH_MAX)]  # type: ignore[name-defined]
        self._one = msgspec.json.Decoder(kind.contract)
        self._many = msgspec.json.Decoder(_batch(kind.name, many))
        self._parts = msgspec.json.Decoder(_batch(kind.name, list[msgspec.Raw]))

    def one(self, raw: bytes, at: Reception) -> Read:
        """A body that is one event. Raises what read_strictly() raises."""
        found = _fast(self._one, raw)
        event = None if found is None else self.kind.translate(found[0], at, found[1])
        return read_strictly(self.kind, raw, at) if found is None or event is None else (found[0], event)

    def fast(self, raw: bytes) -> tuple[Any, bool] | None:
        """What came in, by the fast way alone, and whether it is plain; None where only the strict one can tell."""
        return _fast(self._one, raw)

    def many(self, raw: bytes, at: Reception) -> Iterator[Read | TreueError]:
        """A batch: for each item what it holds, or what is wrong with it. One after the other: an item that was dealt
        with leaves its memory, still in the processor's cache, to the next one (7 % of a batch's cost).

        Raises MalformedError or InvalidError for a body that is no batch at all.
        """
        batch = _fast(self._many, raw)
        if batch is None:
            yield from (self._item(part, index, at) for index, part in enumerate(self._split(raw)))
            return
        parts: Sequence[bytes] = ()
        for index, given in enumerate(getattr(batch[0], self.kind.name)):
            event = self._translated(given, at, batch[1])
            if event is None:
                parts = parts or self._split(raw)
                yield self._item(parts[index], index, at)
            else:
                yield given, event

    def _translated(self, given: Any, at: Reception, plain: bool) -> Event | None:
        try:
            return self.kind.translate(given, at, plain)
        except TreueError:
            return None  # it is said again when the item is read by itself

    def _item(self, raw: bytes, index: int, at: Reception) -> Read | TreueError:
        try:
            return self.one(raw, at)
        except InvalidError as error:
            return within(error, f"/{self.kind.name}/{index}")
        except TreueError as error:
            return error

    def _split(self, raw: bytes) -> Sequence[bytes]:
        """The bytes of each item. Raises what is wrong with a body that is no batch."""
        parts = self._split_json(raw) or split_items(raw, self.kind.name)
        if not parts:
            raise self._no_batch(raw)
        if len(parts) > BATCH_MAX:
            raise unacceptable([self._wrong_length(len(parts))])
        return parts

    def _split_json(self, raw: bytes) -> Sequence[bytes]:
        """The same by the quick way; nothing where the JSON is not right, or the list stands twice."""
        try:
            parts: list[bytes] = [bytes(part) for part in getattr(self._parts.decode(raw), self.kind.name)]
        except _UNREADABLE:
            return ()
        # The batch itself has two quotes, around the list's name; more of them are a second name.
        return parts if raw.count(b'"') == 2 + sum(part.count(b'"') for part in parts) else ()

    def _wrong_length(self, length: int) -> Fault:
        return Fault(f"/{self.kind.name}", "length", f"Must have 1 to {BATCH_MAX} items.", length)

    def _no_batch(self, raw: bytes) -> TreueError:
        """What is wrong with a body that is no batch. Raises it, where the JSON itself is."""
        name = self.kind.name
        body = read_object(raw)
        faults = [Fault(pointer([key]), "unknown", "This is not known here.") for key in body if key != name]
        items = body.get(name)
        if name not in body:
            faults.append(Fault(f"/{name}", "required", "This must be there."))
        elif not isinstance(items, list):
            faults.append(Fault(f"/{name}", "type", "Must be a list."))
        elif not 0 < len(items) <= BATCH_MAX:
            faults.append(self._wrong_length(len(items)))
        return unacceptable(faults) if faults else MalformedError("The body cannot be read.")


def _batch(name: str, items: Any) -> type[msgspec.Struct]:
    return msgspec.defstruct(f"Batch_{name}", [(name, items)], forbid_unknown_fields=True, frozen=True)


def _fast(decoder: "msgspec.json.Decoder[Any]", raw: bytes) -> tuple[Any, bool] | None:
    """What the bytes hold, and whether every text in it is printable ASCII without spaces at its ends; None where only
    the strict way can tell."""
    escaped = b"\\" in raw
    if escaped and any(escape in raw for escape in _DOUBTFUL_ESCAPES):
        return None
    try:
        given = decoder.decode(raw)
    except _UNREADABLE:
        return None
    written = _encode(given)
    if raw.count(b'"') != written.count(b'"'):
        return None
    plain = not escaped and raw.isascii() and b"\x7f" not in raw and not _has_space_at_an_end(written)
    return given, plain


def _has_space_at_an_end(written: bytes) -> bool:
    """Whether a text begins or ends with a space. What was written is compact: a space beside a quote stands inside a
    text. Most bodies have no space at all, which is found out six times as fast (0.7 us of an event's 4)."""
    return b" " in written and (b'" ' in written or b' "' in written)
