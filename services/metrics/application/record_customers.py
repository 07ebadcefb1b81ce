"""What a batch means to each customer: days are added to, states extended, or made anew when history moved."""

from services.metrics.application.ports import Store
from services.metrics.domain.customers import CustomerKey, CustomerState
from services.metrics.domain.sums import DayChanges


async def record_customers(store: Store, changes: DayChanges) -> None:
    """Bring customers' days and states up to date."""
    by_customer = changes.by_customer()
    if not by_customer:
        return
    known = await store.customers.lock(list(by_customer))
    await store.customers.add_days(changes.customers, known)
    created: dict[CustomerKey, CustomerState] = {}
    rewritten: list[CustomerKey] = []
    for key, days in by_customer.items():
        state = known.get(key)
        if state is None:
            created[key] = CustomerState.of(days)
        elif not state.extend(days):
            rewritten.append(key)
    if rewritten:
        anew = await store.customers.days_of(rewritten)
        known.update((key, CustomerState.of(anew[key])) for key in rewritten)
    await store.customers.save(created, known)
