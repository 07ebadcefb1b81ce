"""Which lots a batch needs: a customer of many years has thousands, and nearly every return needs one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.points.application.order_fold import Movement
from services.points.application.ports import CustomerKey
from services.points.domain.ledger import Reason
from services.points.domain.wallet import Wallet


@dataclass(slots=True)
class Need:
    """A wallet from whose lot points are to be taken back, or into which they go back. `coming`: what this same batch
    fills into that lot."""

    wallet: Wallet
    lot_id: UUID
    points: int = 0
    coming: int = 0


def lots_needed(movements: Sequence[Movement], wallets: Mapping[CustomerKey, Wallet]) -> list[Need]:
    """The orders' own lots that points are taken back from or given back to, each once."""
    needs: dict[UUID, Need] = {}
    for each in movements:
        if each.programme is None and each.order.purchase_id is not None:
            wallet = wallets[each.event.tenant, each.customer_id]
            need = needs.setdefault(each.order.purchase_id, Need(wallet, each.order.purchase_id))
            need.points += each.points if each.reason is not Reason.PURCHASE_REINSTATED else 0
    for each in movements:
        if each.programme is not None and each.event.id in needs:
            needs[each.event.id].coming = each.points
    return list(needs.values())


def short_of_points(needs: Sequence[Need]) -> list[Wallet]:
    """Wallets where the own lots, now loaded, are not enough: there all lots may be needed. Where something is owed, a
    credit of this batch does not fill its lot."""
    short: dict[int, Wallet] = {}
    for need in needs:
        lot = need.wallet.lots.get(need.lot_id)
        free = lot.free if lot is not None else need.coming if not need.wallet.debt else 0
        if need.points > free:
            short[id(need.wallet)] = need.wallet
    return list(short.values())
