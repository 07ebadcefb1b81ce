"""What a body said, read from Kafka's log by its place: for the rare event of which there are two."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from services.gateway.forwarding.event_state import Place
from shared.events.contract import Event, OrderEvent
from shared.events.feedback import FeedbackSubmitted
from shared.events.purchases import PurchaseCompleted, PurchaseReturned
from shared.messaging.away import KafkaAwayError
from shared.messaging.history import History
from shared.messaging.incoming import Incoming, RawRecord, read
from shared.money import to_text
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_READERS_MAX: Final = 2
_WITHIN_S: Final = 3.0


class Bodies:
    """Reads them, a few callers at a time."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._free = asyncio.Semaphore(_READERS_MAX)

    async def __call__(self, places: Collection[Place]) -> Mapping[Place, dict[str, Any]]:
        """By place; what the log does not tell in time, or no more, is missing."""
        found: dict[Place, dict[str, Any]] = {}
        try:
            async with asyncio.timeout(_WITHIN_S), self._free, History(self._bootstrap) as history:
                for place in places:
                    async for chunk in history.read(place.topic, place.part, place.offset, place.offset + 1):
                        described = _described(chunk[0])
                        if described is not None:
                            found[place] = described
        except (KafkaAwayError, TimeoutError) as error:
            _log.warning("bodies_not_read", error=f"{type(error).__name__}: {error}"[:200])
        return found


def _described(record: RawRecord) -> dict[str, Any] | None:
    """What tells one body from another, without what is personal."""
    one = read(record, lambda _: True)
    if not isinstance(one, Incoming):
        return None
    facts = {
        "type": one.envelope.type,
        "occurred_at": one.event.occurred_at.isoformat(),
        "received_at": one.envelope.time.isoformat(),
        "correlation_id": one.envelope.correlation_id or None,
        "customer_id": getattr(one.event, "customer_id", None),
        **_facts(one.event),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _facts(event: Event) -> dict[str, Any]:
    match event:
        case PurchaseCompleted() | PurchaseReturned():
            amount = to_text(event.total_minor, event.currency)
            return {"order_id": event.order_id, "amount": amount, "currency": event.currency}
        case OrderEvent():
            return {"order_id": event.order_id}
        case FeedbackSubmitted():
            return {"kind": event.kind, "score": event.score}
        case _:
            return {"kind": getattr(event, "kind", None)}
