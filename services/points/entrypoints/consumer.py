"""What the worker listens to, and who deals with it."""

from collections.abc import Mapping, Sequence

from services.points.application.posting import PostEvents
from shared.db.transaction import Transaction
from shared.events.activities import ActivityRecorded
from shared.events.contract import Event
from shared.events.customers import ConsentStated, CustomerErased, CustomerUpdated
from shared.events.feedback import FeedbackSubmitted
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned
from shared.messaging.incoming import Effects, Incoming

_LISTENS: tuple[type[Event], ...] = (
    PurchaseCompleted,
    PurchaseReturned,
    PurchaseCancelled,
    CustomerUpdated,
    ConsentStated,
    CustomerErased,
    # These earn nothing; but whoever does them is a customer.
    FeedbackSubmitted,
    ActivityRecorded,
)


class PointsApplication:
    """What the consumer needs of this service."""

    topics: Sequence[str] = tuple(dict.fromkeys(event.TOPIC.value for event in _LISTENS))
    events: Mapping[str, type[Event]] = {event.TYPE: event for event in _LISTENS}

    def __init__(self, post: PostEvents) -> None:
        self._post = post

    def blocks(self, event: Event) -> bool:
        """Purchases and returns wait for nobody: a return without its purchase is kept until that comes. A cancellation
        and the purchase that comes again must not change places, nor a profile and an erasure of one customer."""
        return isinstance(event, PurchaseCancelled | CustomerUpdated | ConsentStated | CustomerErased)

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        """Have the events' effects."""
        return await self._post(tx, events)
