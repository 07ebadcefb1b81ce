"""The strict way to read one body: slow, and it names every fault with its place, its rule and its value."""

from dataclasses import replace

import msgspec
from pydantic import ValidationError

from services.gateway.ingest.contracts import Given, Profile
from services.gateway.ingest.kinds import Kind
from services.gateway.ingest.reception import Reception
from shared.errors import Fault, InvalidError
from shared.events.contract import Event
from shared.http.faults import faults_of
from shared.http.json import read_object

FAULTS_MAX = 100


def read_strictly(kind: Kind, raw: bytes, at: Reception) -> tuple[Given | Profile, Event]:
    """What the bytes hold, as it came in and as an event.

    Raises MalformedError for what is no JSON, InvalidError naming all faults, NotFoundError where a customer speaks for
    another.
    """
    body = read_object(raw)
    faults = _field_faults(kind, body, at)
    faults += kind.relations(body, at)
    if faults:
        raise unacceptable(faults)
    given = _converted(kind, body)
    event = None if given is None else kind.translate(given, at, False)
    if given is None or event is None:
        # Both readers ask the same rules, and a corpus test holds them together: this is only the last guard.
        raise unacceptable([Fault("/", "unacceptable", "This cannot be taken in.")])
    return given, event


def within(error: InvalidError, place: str) -> InvalidError:
    """The same error of something that stands at `place` in a larger body."""
    faults = [replace(fault, pointer=place + fault.pointer) for fault in error.faults]
    return InvalidError(error.detail, code=error.code, faults=faults, **error.extra)


def unacceptable(faults: list[Fault]) -> InvalidError:
    """What to say of a body with these faults."""
    return InvalidError("The body is not acceptable.", faults=faults[:FAULTS_MAX])


def _field_faults(kind: Kind, body: object, at: Reception) -> list[Fault]:
    try:
        kind.model.model_validate(body, context=at)
    except ValidationError as error:
        return faults_of(error.errors(include_url=False, include_context=False))
    return []


def _converted(kind: Kind, body: object) -> Given | Profile | None:
    try:
        return msgspec.convert(body, kind.contract)
    except msgspec.ValidationError:
        return None
