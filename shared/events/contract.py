"""What makes a Struct an event of ours."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

# A time without an offset names no instant; a number beyond int64 fits no column. Both stop at the decoder.
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Topic(StrEnum):
    """The topics of the platform (deploy/kafka/topics.yaml holds their settings)."""

    PURCHASES = "treue.purchases"
    FEEDBACK = "treue.feedback"
    ACTIVITIES = "treue.activities"
    CUSTOMERS = "treue.customers"
    PROGRAMMES = "treue.programmes"
    POINTS = "treue.points"
    NOTIFICATIONS = "treue.notifications"
    INSIGHTS = "treue.insights"
    DEAD_LETTERS = "treue.dead-letters"

    @property
    def compacted(self) -> bool:
        """Whether older records of a key may be gone: gaps in its offsets are then no loss. Customers are not compacted
        any more, but earlier releases did it."""
        return self in (Topic.CUSTOMERS, Topic.PROGRAMMES)


class Event(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of all events. `occurred_at` is business time; decisions read no other."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1
    TOPIC: ClassVar[Topic]

    occurred_at: Annotated[Instant, msgspec.Meta(description="Business time; decisions read no other.")]

    @property
    def key_suffix(self) -> str:
        """What follows the tenant in the record's key; empty for an event about the tenant itself."""
        raise NotImplementedError


class CustomerEvent(Event, frozen=True, omit_defaults=True, kw_only=True):
    """An event about one customer: its key is `tenant:customer`, so that one customer's events keep their order."""

    customer_id: Annotated[str, msgspec.Meta(description="The shop's own id of the customer, never an e-mail address.")]

    @property
    def key_suffix(self) -> str:
        return self.customer_id


class OrderEvent(Event, frozen=True, omit_defaults=True, kw_only=True):
    """An event about one order, whose customer may be unknown (a guest): then the order keys it."""

    order_id: Annotated[str, msgspec.Meta(description="The shop's own id of the order.")]
    customer_id: Annotated[str | None, msgspec.Meta(description="Missing for a guest.")] = None

    @property
    def key_suffix(self) -> str:
        return self.customer_id or self.order_id
