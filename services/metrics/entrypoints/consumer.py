"""The service's side of the consumer: which events it listens to, and who records them."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from services.metrics.application.ports import Store
from services.metrics.application.record_activities import record_activities
from services.metrics.application.record_feedback import record_feedback
from services.metrics.application.record_orders import record_orders
from services.metrics.application.record_programmes import record_programmes
from shared.db.transaction import Transaction
from shared.events.activities import ActivityRecorded
from shared.events.contract import Event, Topic
from shared.events.feedback import FeedbackSubmitted
from shared.events.programmes import ProgrammeUpdated
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.messaging.incoming import Effects, Incoming, Outcome

Recorder = Callable[[Store, Sequence[Incoming]], Awaitable[dict[UUID, Outcome]]]

# Programmes go first: what else is in the batch may be waiting for them.
_RECORDERS: Final[Mapping[Topic, Recorder]] = {
    Topic.PROGRAMMES: record_programmes,
    Topic.PURCHASES: record_orders,
    Topic.FEEDBACK: record_feedback,
    Topic.ACTIVITIES: record_activities,
}
_LISTENS: Final[tuple[type[Event], ...]] = (
    ProgrammeUpdated, PurchaseCompleted, PurchaseReturned, PurchaseCancelled, FeedbackSubmitted, ActivityRecorded,
)  # fmt: skip


class MetricsApplication:
    """What metrics gives to the consumer. It publishes nothing."""

    topics: Sequence[str] = tuple(topic.value for topic in _RECORDERS)
    events: Mapping[str, type[Event]] = {event.TYPE: event for event in _LISTENS}

    def __init__(self, store: Callable[[Transaction], Store]) -> None:
        self._store = store

    def blocks(self, _event: Event) -> bool:
        """Figures come out the same in any order: nothing waits behind a dead letter."""
        return False

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        """Have the events' effects; events of one family in their order."""
        families: defaultdict[Topic, list[Incoming]] = defaultdict(list)
        for incoming in events:
            families[incoming.event.TOPIC].append(incoming)
        store = self._store(tx)
        outcomes: dict[UUID, Outcome] = {}
        for topic, record in _RECORDERS.items():
            if families[topic]:
                outcomes |= await record(store, families[topic])
        return Effects(outcomes)
