"""Messages of which one a day is enough: what somebody was told on which local day already."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.notifications.application.causes import told_by
from services.notifications.application.ports import Key
from services.notifications.application.stores import Stores
from services.notifications.domain.customer import Customer
from services.notifications.domain.day import local_day
from services.notifications.domain.message import Channel
from services.notifications.domain.programme import Programme
from services.notifications.domain.templates import Template
from shared.db.transaction import Transaction
from shared.events.contract import CustomerEvent
from shared.messaging.incoming import Incoming


class _Told(NamedTuple):
    tenant: str
    customer_id: str
    template: str
    channel: str
    day: date


class Days:
    """Of the customers of one batch, whose profiles are locked."""

    def __init__(self, programmes: Mapping[str, Programme]) -> None:
        self._programmes = programmes
        self._told: set[_Told] = set()

    @classmethod
    async def of(
        cls,
        stores: Stores,
        tx: Transaction,
        events: Sequence[tuple[Incoming, CustomerEvent, Key]],
        customers: Mapping[Key, Customer],
    ) -> "Days":
        """What they were told before, as far as the batch may repeat it."""
        keys: dict[str, set[Key]] = {}
        for _, event, key in events:
            told = told_by(event)
            if told is not None and told.template.once_a_day:
                keys.setdefault(told.template.name, set()).add(key)
        tenants = {tenant for some in keys.values() for tenant, _ in some}
        days = cls(await stores.customers.programmes(tx, tenants) if tenants else {})
        for template, some in keys.items():
            for message in await stores.messages.told_of(tx, sorted(some), template):
                happened = message.facts.get("occurred_at")
                if isinstance(happened, str):
                    customer = customers[message.tenant, message.customer_id]
                    day = days._day(message.tenant, datetime.fromisoformat(happened), customer)
                    days._told.add(_Told(message.tenant, message.customer_id, template, message.channel, day))
        return days

    def repeats(
        self, template: Template, channel: Channel, tenant: str, event: CustomerEvent, customer: Customer
    ) -> bool:
        """Whether the customer was told the like on the local day of this event."""
        return template.once_a_day and self._of(template, channel, tenant, event, customer) in self._told

    def note(self, template: Template, channel: Channel, tenant: str, event: CustomerEvent, customer: Customer) -> None:
        """The customer is told."""
        if template.once_a_day:
            self._told.add(self._of(template, channel, tenant, event, customer))

    def _of(self, template: Template, channel: Channel, tenant: str, event: CustomerEvent, customer: Customer) -> _Told:
        day = self._day(tenant, event.occurred_at, customer)
        return _Told(tenant, event.customer_id, template.name, channel, day)

    def _day(self, tenant: str, instant: datetime, customer: Customer) -> date:
        return local_day(instant, customer.profile.time_zone, self._programmes[tenant].time_zone)
