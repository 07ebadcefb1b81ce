"""Which headers pass the gateway, each way."""

from collections.abc import Mapping

from shared.observability.tracing import current_traceparent

_IN = (b"accept", b"accept-language", b"content-type", b"idempotency-key", b"if-match", b"if-none-match")
_OUT = (
    b"content-type", b"etag", b"retry-after", b"location", b"allow", b"last-modified",
    b"content-language", b"content-disposition", b"vary", b"link", b"idempotency-hit",
)  # fmt: skip


def inward(given: Mapping[bytes, bytes], bearer: str, correlation_id: str) -> list[tuple[bytes, bytes]]:
    """What a service gets to see: the caller's wishes, our token in place of the credential."""
    headers = [(name, given[name]) for name in _IN if name in given]
    return headers + own(bearer, correlation_id)


def own(bearer: str, correlation_id: str) -> list[tuple[bytes, bytes]]:
    """What we say ourselves when we ask."""
    headers = [
        (b"authorization", b"Bearer " + bearer.encode()),
        (b"x-correlation-id", correlation_id.encode()),
        (b"accept-encoding", b"identity"),
    ]
    if traceparent := current_traceparent():
        headers.append((b"traceparent", traceparent.encode()))
    return headers


def outward(answered: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """What the caller gets to see of a service's headers."""
    return [(name, answered[name]) for name in _OUT if name in answered]
