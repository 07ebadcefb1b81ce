"""An event gets its id and its envelope, and becomes a record."""

from services.gateway.ingest.contracts import Given, Profile
from services.gateway.ingest.reception import Reception
from shared.auth.principal import Principal
from shared.events.contract import Event
from shared.events.envelope import Stamp
from shared.ids import event_id_text, new_id_text

SOURCE = "treue/gateway"
_SHOP = "shop"


def id_of(principal: Principal, event: Event, given: Given | Profile | None, idempotency_key: str | None) -> str:
    """The caller's name of the event decides, else its Idempotency-Key; without both, the event is a new one.

    A name belongs to who gave it and to the type of the event (docs/decisions/0018): a customer cannot take a name
    away from the shop, nor a purchase from its own return. All keys of a shop speak for the shop, so that a key can be
    replaced between an event and its retry.

    A profile is replaced as a whole, so that putting it twice is harmless. A key makes two of them the same event only
    where the body says its time: otherwise the second would be another body under the same id.
    """
    if isinstance(given, Given):
        if given.event_id:
            return event_id_text(principal.tenant, _source(principal, event, "event"), given.event_id)
    elif given is None or not given.occurred_at:
        return new_id_text()
    if not idempotency_key:
        return new_id_text()
    return event_id_text(principal.tenant, _source(principal, event, "idempotency-key"), idempotency_key)


def _source(principal: Principal, event: Event, named_by: str) -> str:
    """Who calls an event of this type by a name; no part of it can hold a line break."""
    who = _SHOP if principal.customer is None else f"customer:{principal.customer}"
    return f"{who}\n{event.TYPE}\n{named_by}"


def stamp_of(at: Reception, correlation_id: str, traceparent: str) -> Stamp:
    """The envelope of everything that one request brings."""
    tenant = at.tenant
    return Stamp(tenant.tenant, SOURCE, tenant.programme_version, at.now, correlation_id, traceparent)
