"""A customer's profile or consents changed, or they asked to be forgotten."""

from collections.abc import Sequence
from dataclasses import replace

from services.notifications.application.outgoing import announcement
from services.notifications.application.ports import ConsentChange, Key
from services.notifications.application.stores import Stores
from services.notifications.domain.consent import changed, changes
from services.notifications.domain.customer import Customer, Profile, ProfileState
from shared.db.transaction import Transaction
from shared.events.contract import CustomerEvent
from shared.events.customers import CustomerErased, CustomerUpdated
from shared.messaging.incoming import Effects, Incoming, Outcome


async def on_customers(stores: Stores, tx: Transaction, events: Sequence[Incoming], effects: Effects) -> None:
    """Keep who they now are and what they said; what waited for a profile is due with it."""
    known = await stores.of_known_tenants(tx, events, effects)
    customers = await stores.customers.lock(tx, {key for _, _, key in known})
    said: list[ConsentChange] = []
    erased: set[Key] = set()
    for incoming, event, key in known:
        new = _consent_changes(incoming, event, key, customers[key])
        said += new
        customers[key] = _after(event, customers[key], new)
        if isinstance(event, CustomerErased):
            erased.add(key)
        effects.outcomes[incoming.id] = _outcome(event, new)
    await stores.customers.save_profiles(tx, {key: found.profile for key, found in customers.items()})
    await stores.customers.add_consents(tx, said)
    for message in await stores.messages.forget(tx, erased):
        effects.outgoing.append(announcement(message, message.status, message.reason, tx.now, tx.now))
    described = [key for key, found in customers.items() if found.profile.state is ProfileState.KNOWN]
    await stores.messages.release(tx, described)


def _consent_changes(incoming: Incoming, event: CustomerEvent, key: Key, before: Customer) -> list[ConsentChange]:
    """A list replaces what was said before, None keeps it; an erasure takes all of it back."""
    if isinstance(event, CustomerErased):
        said: list[tuple[str, str, bool]] = []
    elif isinstance(event, CustomerUpdated) and event.consents is not None:
        said = [(each.channel, each.purpose, each.granted) for each in event.consents]
    else:
        return []
    return [
        ConsentChange(key, channel, purpose, granted, event.occurred_at, incoming.id)
        for (channel, purpose), granted in changes(before.consents, said).items()
    ]


def _after(event: CustomerEvent, before: Customer, new: Sequence[ConsentChange]) -> Customer:
    consents = changed(before.consents, {(each.channel, each.purpose): each.granted for each in new})
    if not isinstance(event, CustomerUpdated):
        return replace(before, profile=Profile(state=ProfileState.ERASED), consents=consents)
    profile = Profile(
        state=ProfileState.KNOWN, email=event.email, name=event.name, locale=event.locale,
        time_zone=event.time_zone, kind=event.kind,
    )  # fmt: skip
    return replace(before, profile=profile, consents=consents)


def _outcome(event: CustomerEvent, new: Sequence[ConsentChange]) -> Outcome:
    first = {"kind": "customer_erased" if isinstance(event, CustomerErased) else "profile_updated"}
    said = ({"kind": "consent_changed", "channel": c.channel, "purpose": c.purpose, "granted": c.granted} for c in new)
    return Outcome(effects=(first, *said))
