"""What happens to a customer's points. Every event names the ledger entry it tells of and the wallet after it.

`points` is always positive: the type says in which direction. `available` and `debt` are the wallet's after the entry;
`wallet_version` grows by one with every change of a wallet, so that a listener can drop what is older than it knows.
"""

from typing import ClassVar
from uuid import UUID

from shared.events.contract import CustomerEvent, Instant, Int64, Topic


class WalletEvent(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """What all events of a wallet tell."""

    TOPIC: ClassVar[Topic] = Topic.POINTS

    entry_id: UUID
    cause_id: UUID
    points: Int64
    available: Int64
    wallet_version: Int64
    pending: Int64 = 0
    debt: Int64 = 0
    order_id: str | None = None


class PointsEarned(WalletEvent, frozen=True, omit_defaults=True, kw_only=True):
    """A purchase brought points; they can be spent from `active_from` on (None: at once)."""

    TYPE: ClassVar[str] = "points.earned"

    active_from: Instant | None = None


class PointsActivated(WalletEvent, frozen=True, omit_defaults=True, kw_only=True):
    """Pending points can be spent from now on."""

    TYPE: ClassVar[str] = "points.activated"


class PointsClawedBack(WalletEvent, frozen=True, omit_defaults=True, kw_only=True):
    """A return or a cancellation took points back; what could not be taken has become debt."""

    TYPE: ClassVar[str] = "points.clawed_back"


class PointsRestored(WalletEvent, frozen=True, omit_defaults=True, kw_only=True):
    """The purchase of a cancelled order came again: what the cancellation took is back in the lot that it was taken
    from, less what was owed."""

    TYPE: ClassVar[str] = "points.restored"


class DebtChanged(WalletEvent, frozen=True, omit_defaults=True, kw_only=True):
    """What the customer owes grew, or was paid from points that were earned or restored; `points` is by how much,
    `debt` what is left."""

    TYPE: ClassVar[str] = "debt.changed"
