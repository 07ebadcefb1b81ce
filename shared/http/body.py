"""Reads a request's body within bounds: its size, its time, its type. Used by hot routes and FastAPI's alike."""

import asyncio
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.types import Receive

from shared.errors import InvalidError, TooLargeError, UnavailableError
from shared.http.errors import ClientGoneError, SlowRequestError, UnsupportedMediaError
from shared.http.faults import faults_of
from shared.http.json import read_json
from shared.http.shortcut import body_at_hand

BODY_MAX_BYTES: Final = 1_048_576
BODY_TIMEOUT_S: Final = 10.0
UNFINISHED_MAX_BYTES: Final = 134_217_728
_JSON = b"application/json"

M = TypeVar("M", bound=BaseModel)


async def read_body(
    receive: Receive,
    headers: Mapping[bytes, bytes],
    limit_bytes: int = BODY_MAX_BYTES,
    timeout_s: float = BODY_TIMEOUT_S,
    content_type: bytes | None = _JSON,
) -> bytes:
    """The whole body, without the byte order mark that some editors and platforms put in front of UTF-8.

    Raises UnsupportedMediaError unless it is of `content_type` (None: any), TooLargeError beyond `limit_bytes`,
    SlowRequestError after `timeout_s`, ClientGoneError when the client leaves.
    """
    # The comparisons as they stand settle nearly every request.
    if (content_type is not None and headers.get(b"content-type") != content_type) or b"content-encoding" in headers:
        _check_type(headers, content_type)
    announced = headers.get(b"content-length", b"0")
    if len(announced) > 15 or int(announced) > limit_bytes:
        raise too_large(limit_bytes)
    body = body_at_hand(receive)
    if body is None:
        body = await _in_time(receive, limit_bytes, timeout_s)
    else:
        _check_size(len(body), limit_bytes)
    return body[len(BOM_UTF8) :] if body.startswith(BOM_UTF8) else body


async def _in_time(receive: Receive, limit_bytes: int, timeout_s: float) -> bytes:
    try:
        async with asyncio.timeout(timeout_s):
            return await _collect(receive, limit_bytes)
    except TimeoutError as error:
        raise SlowRequestError(f"The body did not arrive within {timeout_s:g} s.") from error


async def read_model(
    request: Request, model: type[M], limit_bytes: int = BODY_MAX_BYTES, timeout_s: float = BODY_TIMEOUT_S
) -> M:
    """The body as a `model`, read strictly. Raises InvalidError naming all faults at once."""
    headers = dict(request.scope["headers"])
    return model_of(await read_body(request.receive, headers, limit_bytes, timeout_s), model)


def model_of(raw: bytes, model: type[M]) -> M:
    """The same for bytes that are here already."""
    read_json(raw)
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False, include_context=False))
        raise InvalidError("The body is not acceptable.", faults=faults) from error


class JsonBody:
    """`body: Annotated[Quote, JsonBody(Quote).dependency]`: a FastAPI dependency that reads the body strictly and
    shows up in the OpenAPI document as the operation's request body."""

    def __init__(self, model: type[BaseModel], limit_bytes: int = BODY_MAX_BYTES) -> None:
        self.model = model
        self.limit_bytes = limit_bytes

    async def __call__(self, request: Request) -> BaseModel:
        return await read_model(request, self.model, self.limit_bytes)


def json_body(model: type[BaseModel], limit_bytes: int = BODY_MAX_BYTES) -> Any:
    """`body: Annotated[Quote, json_body(Quote)]` in a route: read strictly, documented as its request body."""
    return Depends(JsonBody(model, limit_bytes))


def too_large(limit_bytes: int) -> TooLargeError:
    """What to say of a body beyond the limit."""
    return TooLargeError(f"The body is larger than {limit_bytes} bytes.", limit_bytes=limit_bytes)


async def _collect(receive: Receive, limit_bytes: int) -> bytes:
    held = _Held()
    chunks: list[bytes] = []
    try:
        while (message := await receive())["type"] != "http.disconnect":
            chunks.append(message.get("body", b""))
            held.take(len(chunks[-1]))
            _check_size(held.bytes, limit_bytes)
            if not message.get("more_body", False):
                return b"".join(chunks)
        raise ClientGoneError
    finally:
        held.release()


class _Held:
    """What one unfinished body occupies, out of what all of them may: many slow senders shall not fill the memory."""

    total_bytes: ClassVar[int] = 0

    def __init__(self) -> None:
        self.bytes = 0

    def take(self, size: int) -> None:
        """Raises UnavailableError when there is no room."""
        self.bytes += size
        _Held.total_bytes += size
        if _Held.total_bytes > UNFINISHED_MAX_BYTES:
            raise UnavailableError("Too many large bodies are coming in at once.", code="overloaded")

    def release(self) -> None:
        """The body is complete, or given up."""
        _Held.total_bytes -= self.bytes


def _check_size(size: int, limit_bytes: int) -> None:
    if size > limit_bytes:
        raise too_large(limit_bytes)


def _check_type(headers: Mapping[bytes, bytes], content_type: bytes | None) -> None:
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise UnsupportedMediaError("A body in a content coding is not read here; send it plain.")
    given = headers.get(b"content-type", b"")
    if content_type is not None and given.partition(b";")[0].strip().lower() != content_type:
        raise UnsupportedMediaError(f"The body must be {content_type.decode()}.")
