"""The worker's table of events: the gateway listens to programmes, to know its tenants."""

from collections.abc import Mapping, Sequence

from services.gateway.adapters.tenants import note_programmes
from services.gateway.tenants.tenant import Tenant
from shared.db.transaction import Transaction
from shared.events.contract import Event, Topic
from shared.events.programmes import ProgrammeUpdated
from shared.messaging.incoming import Effects, Incoming


class Programmes:
    """What the consumer brings into the gateway's database."""

    topics: Sequence[str] = (Topic.PROGRAMMES.value,)
    events: Mapping[str, type[Event]] = {ProgrammeUpdated.TYPE: ProgrammeUpdated}

    def blocks(self, event: Event) -> bool:  # noqa: ARG002 - the answer is the same for all
        """A later version of a programme makes an earlier one needless."""
        return False

    async def apply(self, tx: Transaction, events: Sequence[Incoming]) -> Effects:
        """Remember the newest version of each tenant's programme."""
        newest: dict[str, Tenant] = {}
        for incoming in events:
            if isinstance(incoming.event, ProgrammeUpdated):
                found = _tenant(incoming.tenant, incoming.event)
                known = newest.get(found.tenant)
                if known is None or known.programme_version < found.programme_version:
                    newest[found.tenant] = found
        await note_programmes(tx.sa, newest.values(), tx.now)
        return Effects()


def _tenant(name: str, programme: ProgrammeUpdated) -> Tenant:
    return Tenant(name, programme.currency, programme.time_zone, programme.locale, programme.version)
