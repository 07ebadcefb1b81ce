"""An event gets its id and its envelope, and becomes a record."""

from services.gateway.ingest.contracts import Given, Profile
from services.gateway.ingest.reception import Reception
from shared.events.envelope import Stamp
from shared.ids import event_id_text, new_id_text

SOURCE = "treue/gateway"


def id_of(tenant: str, given: Given | Profile | None, idempotency_key: str | None) -> str:
    """The caller's name of the event decides, else its Idempotency-Key; without both, the event is a new one.

    A profile is replaced as a whole, so that putting it twice is harmless. A key makes two of them the same event only
    where the body says its time: otherwise the second would be another body under the same id.
    """
    if isinstance(given, Given):
        if given.event_id:
            return event_id_text(tenant, "event", given.event_id)
    elif given is None or not given.occurred_at:
        return new_id_text()
    return event_id_text(tenant, "idempotency-key", idempotency_key) if idempotency_key else new_id_text()


def stamp_of(at: Reception, correlation_id: str, traceparent: str) -> Stamp:
    """The envelope of everything that one request brings."""
    tenant = at.tenant
    return Stamp(tenant.tenant, SOURCE, tenant.programme_version, at.now, correlation_id, traceparent)
