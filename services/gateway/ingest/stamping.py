"""An event gets its id and its envelope, and becomes a record."""

from uuid import UUID

from services.gateway.ingest.contracts import Given, Profile
from services.gateway.ingest.reception import Reception
from shared.events.contract import Event
from shared.events.envelope import Envelope, Record, record_of
from shared.ids import event_id, new_id

SOURCE = "treue/gateway"


def id_of(tenant: str, given: Given | Profile | None, idempotency_key: str | None) -> UUID:
    """The caller's name of the event decides, else its Idempotency-Key; without both, the event is a new one.

    A profile is replaced as a whole, so that putting it twice is harmless. A key makes two of them the same event only
    where the body says its time: otherwise the second would be another body under the same id.
    """
    if isinstance(given, Given):
        if given.event_id:
            return event_id(tenant, "event", given.event_id)
    elif given is None or not given.occurred_at:
        return new_id()
    return event_id(tenant, "idempotency-key", idempotency_key) if idempotency_key else new_id()


def stamped(event: Event, event_id: UUID, at: Reception, correlation_id: str, traceparent: str) -> Record:
    """The record of an event that came in."""
    envelope = Envelope(
        id=event_id,
        type=event.TYPE,
        version=event.VERSION,
        tenant=at.tenant.tenant,
        source=SOURCE,
        time=at.now,
        correlation_id=correlation_id,
        traceparent=traceparent,
        programme_version=at.tenant.programme_version,
    )
    return record_of(envelope, event)
