"""What would a purchase earn? Read by the rules of purchases, and asked in the form in which points hear of one."""

from services.gateway.auth.session import Session
from services.gateway.ingest.kinds import QUOTES
from services.gateway.ingest.reading import Reader
from services.gateway.ingest.reception import Reception
from services.gateway.tenants.directory import TenantDirectory
from shared.clock import Clock
from shared.events import registry


class Quotes:
    """Reads them. Between a purchase and a quote there is no difference in what is taken and what is refused."""

    def __init__(self, tenants: TenantDirectory, clock: Clock, future_max_s: float) -> None:
        self._tenants, self._clock, self._future_max_s = tenants, clock, future_max_s
        self._reader = Reader(QUOTES)

    async def read(self, session: Session, raw: bytes) -> bytes:
        """The purchase that is asked about, as an event's bytes. Raises what the reader raises."""
        principal = session.principal
        tenant = self._tenants.at_once(principal.tenant) or await self._tenants.get(principal.tenant)
        at = Reception.at(tenant, principal, self._clock.now(), self._future_max_s)
        return registry.encode(self._reader.one(raw, at)[1])
