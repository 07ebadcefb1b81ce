"""Wire type -> Struct, with decoders and encoders made once."""

import msgspec

from shared.events.activities import ActivityRecorded
from shared.events.contract import Event
from shared.events.customers import ConsentStated, CustomerErased, CustomerUpdated
from shared.events.feedback import FeedbackSubmitted
from shared.events.notifications import NotificationBounced, NotificationSent, NotificationSkipped
from shared.events.points import DebtChanged, PointsActivated, PointsClawedBack, PointsEarned, PointsRestored
from shared.events.programmes import ProgrammeUpdated
from shared.events.purchases import PurchaseCancelled, PurchaseCompleted, PurchaseReturned

EVENTS: tuple[type[Event], ...] = (
    PurchaseCompleted,
    PurchaseReturned,
    PurchaseCancelled,
    FeedbackSubmitted,
    ActivityRecorded,
    CustomerUpdated,
    ConsentStated,
    CustomerErased,
    ProgrammeUpdated,
    PointsEarned,
    PointsActivated,
    PointsClawedBack,
    PointsRestored,
    DebtChanged,
    NotificationSent,
    NotificationSkipped,
    NotificationBounced,
)

_DECODERS = {(event.TYPE, event.VERSION): msgspec.json.Decoder(event) for event in EVENTS}
_ENCODER = msgspec.json.Encoder()


def decode(event_type: str, version: int, value: bytes) -> Event:
    """The event in these bytes.

    Raises KeyError for a type or version that is not ours, msgspec.DecodeError for bytes that do not fit it.
    """
    return _DECODERS[event_type, version].decode(value)


def encode(event: Event) -> bytes:
    """The canonical bytes: the same event always gives the same, so that its hash can tell a changed body."""
    return _ENCODER.encode(event)
