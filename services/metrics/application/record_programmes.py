"""programme.updated: where a tenant's days begin and what its money is."""

from collections.abc import Sequence
from uuid import UUID

from services.metrics.application.outcomes import effect, refusal
from services.metrics.application.ports import Store
from services.metrics.domain.errors import RefusedEventError
from services.metrics.domain.programme import Programme
from shared.events.programmes import ProgrammeUpdated
from shared.messaging.incoming import Incoming, Outcome


async def record_programmes(store: Store, events: Sequence[Incoming]) -> dict[UUID, Outcome]:
    """Keep each tenant's newest version. Days that were written before keep the zone of their time."""
    outcomes: dict[UUID, Outcome] = {}
    newest: dict[str, Programme] = {}
    for incoming in events:
        programme = _programme(incoming)
        try:
            programme.require_time_zone()
        except RefusedEventError as refused:
            outcomes[incoming.id] = refusal(refused.code)
            continue
        outcomes[incoming.id] = effect("programme.known", version=programme.version)
        known = newest.get(programme.tenant)
        if known is None or known.version < programme.version:
            newest[programme.tenant] = programme
    await store.programmes.keep_newest(sorted(newest.values(), key=lambda each: each.tenant))
    return outcomes


def _programme(incoming: Incoming) -> Programme:
    event = incoming.event
    if not isinstance(event, ProgrammeUpdated):
        raise TypeError(f"{type(event).__name__} is no event of a programme")
    return Programme(incoming.tenant, event.version, event.currency, event.time_zone)
