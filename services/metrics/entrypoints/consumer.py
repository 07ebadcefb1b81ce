"""The service's side of the consumer: which events it listens to, and who records them."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby
from typing import Final
from uuid import UUID

from services.metrics.application.ports import Store
from services.metrics.application.record_activities import record_activities
from services.metrics.application.record_feedback import record_feedback
from services.metrics.application.record_lives import record_bodies, record_life
from services.metrics.application.record_orders import record_orders
from services.metrics.application.record_programmes import record_programmes
from shared.db.transaction import Transaction
from shared.erasures import ErasureTable, changes_lives
from shared.events.activities import ActivityRecorded
from shared.events.contract import Event, Topic
from shared.events.customers import ConsentStated, CustomerErased, CustomerUpdated
from shared.events.feedback import FeedbackSubmitted
from shared.events.programmes import ProgrammeUpdated
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.lives import attributed, named_in
from shared.messaging.incoming import Effects, Incoming, Outcome

Recorder = Callable[[Store, Sequence[Incoming]], Awaitable[dict[UUID, Outcome]]]

# Programmes go first: what else is in the batch may be waiting for them.
_RECORDERS: Final[Mapping[Topic, Recorder]] = {
    Topic.PROGRAMMES: record_programmes,
    Topic.PURCHASES: record_orders,
    Topic.FEEDBACK: record_feedback,
    Topic.ACTIVITIES: record_activities,
}
_TOPICS: Final = (*_RECORDERS, Topic.CUSTOMERS)
_LISTENS: Final[tuple[type[Event], ...]] = (
    ProgrammeUpdated, PurchaseCompleted, PurchaseReturned, PurchaseCancelled, FeedbackSubmitted, ActivityRecorded,
    CustomerUpdated, ConsentStated, CustomerErased,
)  # fmt: skip


class MetricsApplication:
    """What metrics gives to the consumer. It publishes nothing."""

    topics: Sequence[str] = tuple(topic.value for topic in _TOPICS)
    events: Mapping[str, type[Event]] = {event.TYPE: event for event in _LISTENS}

    def __init__(self, store: Callable[[Transaction], Store]) -> None:
        self._store, self._erasures = store, ErasureTable()

    def blocks(self, event: Event) -> bool:
        """Figures come out the same in any order; only the lives of a customer id follow one another, and so do a
        cancellation and the purchase that comes again."""
        return isinstance(event, PurchaseCancelled | CustomerUpdated | CustomerErased)

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        """Have the events' effects. While somebody is erased, nothing else is recorded."""
        alone = any(changes_lives(each.event) for each in events)
        await self._erasures.lock(tx, alone=alone)
        store = self._store(tx)
        if not alone:
            return await self._record(store, tx, events)
        effects = Effects()
        for changing, run in groupby(events, key=lambda each: changes_lives(each.event)):
            if changing:
                for each in run:
                    effects.outcomes[each.id] = await record_life(store, self._erasures, tx, each)
            else:
                effects.outcomes |= (await self._record(store, tx, list(run))).outcomes
        return effects

    async def _record(self, store: Store, tx: Transaction, received: Sequence[Incoming]) -> Effects:
        """Events of one family in their order."""
        known = await self._erasures.find(tx, named_in(received))
        events, refused = await attributed(self._erasures, tx, received, known) if known else (received, {})
        families: defaultdict[Topic, list[Incoming]] = defaultdict(list)
        for incoming in events:
            families[incoming.event.TOPIC].append(incoming)
        outcomes: dict[UUID, Outcome] = {**refused}
        for topic, record in _RECORDERS.items():
            if families[topic]:
                outcomes |= await record(store, families[topic])
        effects = Effects(outcomes)
        await record_bodies(store, received, effects, known)
        return effects
