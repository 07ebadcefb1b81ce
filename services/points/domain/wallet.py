"""A customer's points. Every change goes through here, leaves an entry, and keeps the laws of ledger.py."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from services.points.domain.ledger import Allocation, Cause, Entry, EntryKind, Lot, Reason
from shared.ids import ordered_id

_NEVER = datetime.max.replace(tzinfo=UTC)


class Wallet(msgspec.Struct):
    """The wallet as it stands, and in `entries`, `new_lots`, `touched`, `allocations` what has happened to it since it
    was loaded.

    `posted` counts what can be spent, and of it `held` what is reserved; `pending` what cannot be spent yet. Of the
    lots only those that the changes at hand need are loaded. `lifetime_earned` is net of what returns took back.
    """

    tenant: str
    customer_id: str
    posted: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    lifetime_earned: int = 0
    version: int = 0
    next_activation_at: datetime | None = None
    newest_entry_ms: int = 0
    known_since: datetime | None = None  # of a wallet that is not stored yet
    lots: dict[UUID, Lot] = {}
    entries: list[Entry] = []
    new_lots: list[Lot] = []
    touched: dict[UUID, Lot] = {}
    allocations: list[Allocation] = []

    @property
    def available(self) -> int:
        """What can be spent at once."""
        return self.posted - self.held

    def earn(self, cause: Cause, points: int, activate_at: datetime, *, pending: bool, detail: dict[str, Any]) -> Entry:
        """Credit points in a lot of their own; `pending`: they cannot be spent yet."""
        if pending:
            self.pending += points
            self.next_activation_at = min(self.next_activation_at or activate_at, activate_at)
        else:
            self.posted += points
        self.lifetime_earned += points
        entry = self._enter(EntryKind.EARNED, cause, points, detail)
        lot = Lot(cause.event_id, entry.id, points, points, cause.occurred_at, activate_at, activated=not pending)
        self.lots[lot.id] = lot
        self.new_lots.append(lot)
        return entry

    def pay_debt(self, cause: Cause, lot_id: UUID) -> Entry | None:
        """Pay what is owed from a new lot, as far as it goes; None when nothing is owed."""
        points = min(self.debt, self.lots[lot_id].free)
        if not points:
            return None
        self._spend(self.lots[lot_id], points)
        self.debt -= points
        entry = self._enter(EntryKind.DEBT_PAID, cause, -points, {"owed": self.debt + points}, debt=-points)
        self.allocations.append(Allocation(entry.id, lot_id, points))
        return entry

    def claw_back(self, cause: Cause, points: int, own_lot: UUID | None, detail: dict[str, Any]) -> Entry:
        """Take points back: from the order's own lot first, then from the others in the order in which they would be
        spent, pending ones too; what is not there any more becomes debt."""
        taken: list[tuple[UUID, int]] = []
        missing = points
        for lot in self._claw_order(own_lot):
            part = min(lot.free, missing)
            if part:
                self._spend(lot, part)
                taken.append((lot.id, part))
                missing -= part
            if not missing:
                break
        self.debt += missing
        self.lifetime_earned -= points
        entry = self._enter(EntryKind.CLAWED_BACK, cause, missing - points, detail, debt=missing)
        self.allocations += [Allocation(entry.id, lot_id, part) for lot_id, part in taken]
        return entry

    def restore(self, cause: Cause, points: int, lot_id: UUID, detail: dict[str, Any]) -> Entry:
        """Give back what was taken from an order: what is owed is paid first, the rest goes back into the order's own
        lot, which has room for it: it brought them, and nothing of it is reserved. They can be spent when that lot's
        points could be."""
        paid = min(self.debt, points)
        back = points - paid
        lot = self.lots[lot_id]
        if back:
            if not lot.remaining and lot.activate_at.timestamp() * 1000 <= cause.taken_in_ms:
                lot.activated = True  # nothing of it was pending
            self._spend(lot, -back)
            if not lot.activated:
                self.next_activation_at = min(self.next_activation_at or lot.activate_at, lot.activate_at)
        self.debt -= paid
        self.lifetime_earned += points
        entry = self._enter(EntryKind.RESTORED, cause, back, detail, debt=-paid)
        if back:
            self.allocations.append(Allocation(entry.id, lot_id, -back))
        return entry

    def activate(self, cause: Cause, lot: Lot) -> Entry:
        """Let a pending lot's points be spent; the balance as a whole does not change."""
        lot.activated = True
        self.touched[lot.id] = lot
        self.pending -= lot.remaining
        self.posted += lot.remaining
        return self._enter(EntryKind.ACTIVATED, cause, 0, {"points": lot.remaining, "lot": str(lot.id)})

    def _claw_order(self, own_lot: UUID | None) -> Iterable[Lot]:
        own = self.lots.get(own_lot) if own_lot else None
        if own is not None:
            yield own
        yield from sorted((lot for lot in self.lots.values() if lot is not own and lot.free), key=consumption_order)

    def _spend(self, lot: Lot, points: int) -> None:
        lot.remaining -= points
        self.touched[lot.id] = lot
        if lot.activated:
            self.posted -= points
        else:
            self.pending -= points

    def _enter(self, kind: EntryKind, cause: Cause, points: int, detail: dict[str, Any], debt: int = 0) -> Entry:
        """The entry's id is made of its cause and, at the earliest, the cause's time: the same in every replay, and
        growing with the wallet's version."""
        self.version += 1
        self.newest_entry_ms = max(cause.taken_in_ms, self.newest_entry_ms + 1)
        # At an activation the cause is the purchase's event, so that the lot must tell its entries apart.
        name = f"{kind}:{detail['lot']}" if kind is EntryKind.ACTIVATED else kind.value
        entry = Entry(
            ordered_id(self.newest_entry_ms, cause.event_id, name), self.tenant, self.customer_id, kind, points, debt,
            self.posted + self.pending, cause, self.version, detail,
        )  # fmt: skip
        self.entries.append(entry)
        return entry


def consumption_order(lot: Lot) -> tuple[datetime, datetime, UUID]:
    """What expires soonest goes first, then what is oldest; the id settles the rest, so that a replay does the same."""
    return (lot.expires_at or _NEVER, lot.occurred_at, lot.entry_id)


def debt_reason(cause: Cause) -> Cause:
    """The cause of a payment of debt that a credit with this cause makes."""
    return Cause(
        cause.event_id, cause.order_id, cause.occurred_at, cause.taken_in_ms, cause.programme_version,
        Reason.DEBT_PAID_FROM_EARNINGS,
    )  # fmt: skip
