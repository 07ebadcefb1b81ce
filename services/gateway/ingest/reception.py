"""Under which circumstances an event comes in."""

from datetime import datetime, timedelta

import msgspec

from services.gateway.tenants.tenant import Tenant
from shared.auth.principal import ME, Principal


class Reception(msgspec.Struct, frozen=True):
    """Who brings something to which tenant, and when. `latest` is the last instant that may be called the past;
    `smtputf8` whether the mail server takes letters other than ASCII before the @ of an address."""

    tenant: Tenant
    principal: Principal
    now: datetime
    latest: datetime
    smtputf8: bool = False

    @classmethod
    def at(
        cls, tenant: Tenant, principal: Principal, now: datetime, future_max_s: float, *, smtputf8: bool = False
    ) -> "Reception":
        """The reception of whatever comes now."""
        return cls(tenant, principal, now, now + timedelta(seconds=future_max_s), smtputf8)

    @property
    def currency(self) -> str:
        """The only currency that this tenant's programme counts."""
        return self.tenant.currency

    def own(self, customer_id: str | None) -> str | None:
        """The customer meant by what a customer's own token brings: themselves, if they name nobody else.

        Raises NotFoundError when they do. A key's events keep the customer that they name.
        """
        if self.principal.customer is None:
            return customer_id
        return self.principal.customer_for(customer_id or ME)
