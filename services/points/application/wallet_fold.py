"""What movements mean for the wallets, in the order of the log: entries, and what others are told of them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.points.application import translate
from services.points.application.order_fold import Movement
from services.points.application.ports import CustomerKey
from services.points.domain.ledger import Cause, Reason
from services.points.domain.wallet import Wallet, debt_reason
from shared.events.envelope import Record
from shared.events.points import WalletEvent
from shared.messaging.incoming import Incoming, Outcome

_ZERO_EARNED = Outcome(effects=({"kind": "points.earned", "points": 0},))


class WalletFold:
    """Folds movements into locked wallets, which have the lots that they need."""

    def __init__(self, wallets: Mapping[CustomerKey, Wallet]) -> None:
        self._wallets = wallets
        self.outcomes: dict[UUID, Outcome] = {}
        self.outgoing: list[Record] = []

    def fold(self, movement: Movement) -> None:
        """Take one movement up."""
        if movement.reason is Reason.PURCHASE_REINSTATED:
            self._restore(movement)
        elif movement.programme is None:
            self._claw_back(movement)
        elif movement.points:
            self._earn(movement)
        else:
            self.outcomes[movement.event.id] = _ZERO_EARNED

    def _earn(self, movement: Movement) -> None:
        event, wallet = movement.event, self._wallet(movement)
        cause = cause_of(movement)
        assert movement.programme is not None  # noqa: S101 - fold() has looked
        terms = movement.programme.terms
        activate_at = terms.activates_at(cause.occurred_at)
        # Judged by when the platform took the event in, so that a replay judges the same.
        pending = terms.waits(activate_at, event.envelope.time)
        entry = wallet.earn(cause, movement.points, activate_at, pending=pending, detail=movement.detail)
        told: list[WalletEvent] = [translate.earned(wallet, entry, activate_at if pending else None)]
        paid = wallet.pay_debt(debt_reason(cause), event.id) if wallet.debt else None
        if paid is not None:
            told.append(translate.debt_changed(wallet, paid))
        self._tell(event, told)

    def _claw_back(self, movement: Movement) -> None:
        wallet = self._wallet(movement)
        entry = wallet.claw_back(cause_of(movement), movement.points, movement.order.purchase_id, movement.detail)
        told: list[WalletEvent] = [translate.clawed_back(wallet, entry)]
        if entry.debt:
            told.append(translate.debt_changed(wallet, entry))
        self._tell(movement.event, told, movement.shown)

    def _restore(self, movement: Movement) -> None:
        wallet, lot_id = self._wallet(movement), movement.order.purchase_id
        assert lot_id is not None  # noqa: S101 - an order that was cancelled and is known
        entry = wallet.restore(cause_of(movement), movement.points, lot_id, movement.detail)
        told: list[WalletEvent] = [translate.restored(wallet, entry)]
        if entry.debt:
            told.append(translate.debt_changed(wallet, entry))
        self._tell(movement.event, told)

    def _tell(self, event: Incoming, told: list[WalletEvent], shown: Mapping[str, Any] | None = None) -> None:
        """`shown`: what the first effect says besides."""
        self.outgoing += [event.follow(each, each.TYPE) for each in told]
        first, *others = (translate.effect_of(each) for each in told)
        self.outcomes[event.id] = Outcome(effects=({**first, **(shown or {})}, *others))

    def _wallet(self, movement: Movement) -> Wallet:
        return self._wallets[movement.event.tenant, movement.customer_id]


def cause_of(movement: Movement) -> Cause:
    """Why a wallet changes."""
    event, order = movement.event, movement.order
    return Cause(
        event.id, order.order_id, event.event.occurred_at, int(event.envelope.time.timestamp() * 1000),
        order.award.programme_version if order.award else 0, movement.reason,
    )  # fmt: skip
