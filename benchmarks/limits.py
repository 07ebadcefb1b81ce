"""Servers that do the least that could be called the same job: `python -m benchmarks.limits body|decode PORT`.

body: read the request and answer 202. decode: decode a batch into the gateway's own contract, with all the lengths and
ranges that msgspec checks, and check what no schema can: that the lines cost the total.
"""

import sys
from typing import Annotated, Any

import msgspec
import uvicorn

from services.gateway.ingest.contracts import Purchase

_ANSWER = b'{"status":"accepted"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]


class _Batch(msgspec.Struct):
    purchases: Annotated[list[Purchase], msgspec.Meta(min_length=1, max_length=500)]


_decoder = msgspec.json.Decoder(_Batch)


async def body_only(_: Any, receive: Any, send: Any) -> None:
    """Read, answer."""
    await _body(receive)
    await _answer(send, 202)


async def decode(_: Any, receive: Any, send: Any) -> None:
    """Read, decode, validate, answer."""
    try:
        batch = _decoder.decode(await _body(receive))
    except msgspec.MsgspecError:
        await _answer(send, 400)
        return
    good = all(_costs(purchase) == _minor(purchase.total) for purchase in batch.purchases)
    await _answer(send, 202 if good else 422)


def _costs(purchase: Purchase) -> int:
    return sum(line.quantity * _minor(line.unit_price) for line in purchase.lines)


def _minor(amount: str) -> int:
    whole, _, cents = amount.partition(".")
    return int(whole + cents)


async def _body(receive: Any) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        found: bytes = message["body"]
        return found
    parts = [message["body"]]
    while message.get("more_body"):
        message = await receive()
        parts.append(message["body"])
    return b"".join(parts)


async def _answer(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ANSWER})


if __name__ == "__main__":
    app = {"body": body_only, "decode": decode}[sys.argv[1]]
    uvicorn.run(
        app, port=int(sys.argv[2]), http="httptools", loop="uvloop", log_level="warning", access_log=False,
        lifespan="off", server_header=False, date_header=False,
    )  # fmt: skip
