"""A tenant's programme was published."""

from collections.abc import Sequence

from services.notifications.application.stores import Stores
from services.notifications.domain.programme import Programme
from shared.db.transaction import Transaction
from shared.events.programmes import ProgrammeUpdated
from shared.messaging.incoming import Effects, Incoming, Outcome


async def on_programmes(stores: Stores, tx: Transaction, events: Sequence[Incoming], effects: Effects) -> None:
    """The newest version of each tenant's programme counts; older ones change nothing."""
    newest: dict[str, Programme] = {}
    for incoming in events:
        event = incoming.event
        if not isinstance(event, ProgrammeUpdated):
            continue
        if incoming.tenant not in newest or newest[incoming.tenant].version < event.version:
            newest[incoming.tenant] = Programme(
                tenant=incoming.tenant, version=event.version, name=event.name, currency=event.currency,
                time_zone=event.time_zone, locale=event.locale,
            )  # fmt: skip
        effects.outcomes[incoming.id] = Outcome(effects=({"kind": "programme_known", "version": event.version},))
    await stores.customers.save_programmes(tx, [newest[tenant] for tenant in sorted(newest)])
