"""A serial oracle: the topic of purchases, folded record by record, in the plainest way that is right.

Nothing of a service is in it but the reading of a record: no batches, no wallets, no tables. It knows what shoppers do
here: purchases and returns under the programme that every new tenant has, a point for each whole unit that stays paid.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from uuid import UUID

from shared.events.purchases import PurchaseCompleted, PurchaseReturned
from shared.messaging.incoming import Incoming


@dataclass(frozen=True)
class Books:
    """What a tenant's events come to: each customer's points, the orders, the money given back."""

    points: dict[str, int]
    orders: int
    refunds_minor: int


def folded(events: Iterable[Incoming], given_up: Container[str] = ()) -> Books:
    """The first event of an id counts, and the first purchase of an order; a return that is more than what is left of
    its order does not. A return may come before its purchase. Purchases that were `given_up` are orders without points.
    """
    seen: set[UUID] = set()
    bought: dict[str, tuple[str, PurchaseCompleted]] = {}
    given_back: defaultdict[str, list[int]] = defaultdict(list)
    for incoming in events:
        if incoming.id in seen:
            continue
        seen.add(incoming.id)
        match incoming.event:
            case PurchaseCompleted() as purchase:
                bought.setdefault(purchase.order_id, (str(incoming.id), purchase))
            case PurchaseReturned() as back:
                given_back[back.order_id].append(back.total_minor)
            case other:
                raise ValueError(f"no shopper does this: {other}")
    points: defaultdict[str, int] = defaultdict(int)
    refunds = 0
    for order, (event_id, purchase) in bought.items():
        returned = 0
        for minor in given_back[order]:
            returned += minor if returned + minor <= purchase.total_minor else 0
        refunds += returned
        if purchase.customer_id is not None and event_id not in given_up:
            points[purchase.customer_id] += (purchase.total_minor - returned) // 100
    return Books(dict(points), len(bought), refunds)
