"""activity.recorded: taken note of, so that whoever asks for the event hears that it arrived. No figure uses it yet."""

from collections.abc import Sequence
from uuid import UUID

from services.metrics.application.outcomes import PROGRAMME_UNKNOWN, effect
from services.metrics.application.ports import Store
from shared.events.activities import ActivityRecorded
from shared.messaging.incoming import Incoming, Outcome


async def record_activities(store: Store, events: Sequence[Incoming]) -> dict[UUID, Outcome]:
    """The inbox keeps them."""
    programmes = await store.programmes.find(incoming.tenant for incoming in events)
    return {each.id: _outcome(each) if each.tenant in programmes else PROGRAMME_UNKNOWN for each in events}


def _outcome(incoming: Incoming) -> Outcome:
    if not isinstance(incoming.event, ActivityRecorded):
        raise TypeError(f"{type(incoming.event).__name__} is no activity")
    return effect("activity.noted", activity=incoming.event.kind)
