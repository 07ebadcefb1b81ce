"""The service's side of the consumer: event type -> handler."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby
from typing import Final

from services.notifications.application.on_causes import on_causes
from services.notifications.application.on_customers import on_customers
from services.notifications.application.on_erasures import on_erasures
from services.notifications.application.on_programmes import on_programmes
from services.notifications.application.stores import Stores
from shared.db.transaction import Transaction
from shared.events.contract import Event, Topic
from shared.events.customers import ConsentStated, CustomerErased, CustomerUpdated
from shared.events.feedback import FeedbackSubmitted
from shared.events.points import PointsClawedBack, PointsEarned, PointsRestored
from shared.events.programmes import ProgrammeUpdated
from shared.messaging.incoming import Effects, Incoming

Handler = Callable[[Stores, Transaction, Sequence[Incoming], Effects], Awaitable[None]]

HANDLERS: Final[Mapping[type[Event], Handler]] = {
    ProgrammeUpdated: on_programmes,
    CustomerUpdated: on_customers,
    ConsentStated: on_customers,
    CustomerErased: on_erasures,
    PointsEarned: on_causes,
    PointsClawedBack: on_causes,
    PointsRestored: on_causes,
    FeedbackSubmitted: on_causes,
}
_TOPICS: Final = (Topic.PROGRAMMES, Topic.CUSTOMERS, Topic.POINTS, Topic.FEEDBACK)


class NotificationsApplication:
    """What notifications gives to the consumer."""

    topics: Sequence[str] = tuple(topic.value for topic in _TOPICS)
    events: Mapping[str, type[Event]] = {event.TYPE: event for event in HANDLERS}

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def blocks(self, event: Event) -> bool:
        """Behind a profile or an erasure that we could not apply nothing may be sent to that customer: it may have
        been a withdrawal."""
        return isinstance(event, CustomerUpdated | ConsentStated | CustomerErased)

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        """Have the events' effects, in runs of one handler, in their order."""
        effects = Effects()
        for handler, run in groupby(events, key=lambda incoming: HANDLERS[type(incoming.event)]):
            await handler(self._stores, tx, list(run), effects)
        return effects
