"""Ledger entries as the events that others hear of: the one place where what is inside becomes a contract."""

from datetime import datetime
from typing import Any

from services.points.domain.ledger import Entry
from services.points.domain.wallet import Wallet
from shared.events.points import (
    DebtChanged,
    PointsActivated,
    PointsClawedBack,
    PointsEarned,
    PointsRestored,
    WalletEvent,
)

# What was erased goes on under a name that no read gives out.
_PSEUDONYM = "#"


def earned(wallet: Wallet, entry: Entry, active_from: datetime | None) -> PointsEarned:
    return PointsEarned(**_of(wallet, entry, entry.points), active_from=active_from)


def clawed_back(wallet: Wallet, entry: Entry) -> PointsClawedBack:
    """Tells of all that was taken back, what became debt included."""
    return PointsClawedBack(**_of(wallet, entry, entry.debt - entry.points))


def restored(wallet: Wallet, entry: Entry) -> PointsRestored:
    """Tells of all that was given back, what paid a debt included."""
    return PointsRestored(**_of(wallet, entry, entry.points - entry.debt))


def debt_changed(wallet: Wallet, entry: Entry) -> DebtChanged:
    return DebtChanged(**_of(wallet, entry, abs(entry.debt)))


def activated(wallet: Wallet, entry: Entry, points: int) -> PointsActivated:
    return PointsActivated(**_of(wallet, entry, points))


def effect_of(event: WalletEvent) -> dict[str, Any]:
    """The same for whoever asks what became of the event that caused it."""
    shown = {
        "kind": event.TYPE,
        "points": event.points,
        "entry_id": str(event.entry_id),
        **({} if event.customer_id.startswith(_PSEUDONYM) else {"customer_id": event.customer_id}),
    }
    return shown | ({"debt": event.debt} if event.debt or isinstance(event, DebtChanged) else {})


def _of(wallet: Wallet, entry: Entry, points: int) -> dict[str, Any]:
    return {
        "occurred_at": entry.cause.occurred_at,
        "customer_id": entry.customer_id,
        "entry_id": entry.id,
        "cause_id": entry.cause.event_id,
        "points": points,
        "available": wallet.available,
        "wallet_version": entry.wallet_version,
        "pending": wallet.pending,
        "debt": wallet.debt,
        "order_id": entry.cause.order_id,
    }
