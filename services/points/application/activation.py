"""Pending points become spendable when their time has come.

Reads are right without it, since they count what is due; this writes the entries, and tells those who listen.
"""

from dataclasses import dataclass
from datetime import datetime

from services.points.application import translate
from services.points.application.ports import Origin, Wallets
from services.points.domain.ledger import Cause, Lot, Reason
from services.points.domain.wallet import Wallet
from shared.db.transaction import Transaction
from shared.events.envelope import Envelope, Record, record_of
from shared.ids import derived_id

_WALLETS_MAX = 500


@dataclass(frozen=True, slots=True)
class ActivateDue:
    """Activates what is due. Idempotent: a lot is activated once, under its wallet's lock."""

    wallets: Wallets

    async def __call__(self, tx: Transaction, until: datetime) -> tuple[int, list[Record]]:
        """Work through some wallets in which something is due by `until`; returns how many were due and what to
        publish."""
        due = await self.wallets.due(tx, until, _WALLETS_MAX)
        if not due:
            return 0, []
        locked = await self.wallets.lock(tx, dict.fromkeys(due, tx.now))
        # One that is not there any more is a pseudonym's: its customer was erased meanwhile.
        wallets = {key: wallet for key, wallet in locked.items() if wallet.known_since is None}
        outgoing = [record for wallet in wallets.values() for record in await self._activate(tx, wallet, until)]
        await self.wallets.save(tx, list(wallets.values()))
        await self.wallets.schedule_next_activation(tx, due)
        return len(due), outgoing

    async def _activate(self, tx: Transaction, wallet: Wallet, until: datetime) -> list[Record]:
        records = []
        for lot, origin in await self.wallets.due_lots(tx, wallet, until):
            entry = wallet.activate(_cause(lot, origin), lot)
            event = translate.activated(wallet, entry, lot.remaining)
            records.append(record_of(_envelope(wallet.tenant, lot, tx.now), event))
        return records


def _cause(lot: Lot, origin: Origin) -> Cause:
    """The credit, at the time when its points fell due."""
    return Cause(
        origin.event_id, origin.order_id, lot.activate_at, int(lot.activate_at.timestamp() * 1000),
        origin.programme_version, Reason.ACTIVATION_DUE,
    )  # fmt: skip


def _envelope(tenant: str, lot: Lot, now: datetime) -> Envelope:
    return Envelope(
        id=derived_id(lot.id, "points.activated"), type="points.activated", version=1, tenant=tenant,
        source="treue/points", time=now, correlation_id=str(lot.id),
    )  # fmt: skip
