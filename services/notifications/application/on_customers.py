"""A customer's profile or consents changed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.notifications.application.ports import ConsentRecord, Key
from services.notifications.application.stores import Stores
from services.notifications.domain.consent import Source, Word, consents_of, effective, with_word
from services.notifications.domain.customer import Customer, Profile, ProfileState
from shared.db.transaction import Transaction
from shared.erasures import REFUSED, Erasure, is_erased, may_rejoin
from shared.events.contract import CustomerEvent
from shared.events.customers import ConsentStated, CustomerUpdated
from shared.messaging.incoming import Effects, Incoming, Outcome

# Channel, purpose, granted.
_Said = tuple[str, str, bool]


async def on_customers(stores: Stores, tx: Transaction, events: Sequence[Incoming], effects: Effects) -> None:
    """Keep who they now are and what they said; what waited for a profile is due with it. An id that was erased takes
    neither until it rejoins."""
    known = await stores.of_known_tenants(tx, events, effects)
    keys = {key for _, _, key in known}
    customers = await stores.customers.lock(tx, keys)
    erasures = await stores.erasures.find(tx, keys)
    before = {key: found.words for key, found in customers.items()}
    records: list[ConsentRecord] = []
    for incoming, event, key in known:
        if is_erased(erasures.get(key, ())) and not await _rejoins(stores, tx, incoming, key, erasures):
            effects.outcomes[incoming.id] = REFUSED
            continue
        customers[key], new, effects.outcomes[incoming.id] = _told(incoming, event, key, customers[key])
        records += new
    await stores.customers.save_profiles(tx, {key: found.profile for key, found in customers.items()})
    await stores.customers.add_consents(tx, records)
    changed = {
        (key, consent, source): word
        for key, found in customers.items()
        for consent, words in found.words.items()
        for source, word in words.items()
        if before[key].get(consent, {}).get(source) != word
    }
    await stores.customers.save_words(tx, changed)
    described = [key for key, found in customers.items() if found.profile.state is ProfileState.KNOWN]
    await stores.messages.release(tx, described)


async def _rejoins(
    stores: Stores, tx: Transaction, incoming: Incoming, key: Key, erasures: dict[Key, list[Erasure]]
) -> bool:
    """Whether the erased id begins anew with this event; if so, it is noted."""
    if not may_rejoin(incoming.event, erasures[key]):
        return False
    erasures[key][-1] = await stores.erasures.end(tx, key, erasures[key][-1], incoming.envelope.time)
    return True


def _told(
    incoming: Incoming, event: CustomerEvent, key: Key, before: Customer
) -> tuple[Customer, list[ConsentRecord], Outcome]:
    """The customer afterwards, what is added to the history of consents, and what to show of it."""
    source = Source(event.stated_by) if isinstance(event, ConsentStated) else Source.SHOP
    words, records = dict(before.words), []
    shown: list[dict[str, object]] = []
    for channel, purpose, granted in _said(event):
        word, consent = Word(granted, event.occurred_at), (channel, purpose)
        old = words.get(consent, {})
        words[consent] = with_word(old, source, word)
        was, now = effective(old), effective(words[consent])
        if source not in old or old[source].granted is not granted or was is not now:
            records.append(ConsentRecord(key, channel, purpose, source, word, incoming.envelope.time, incoming.id, now))
        if was is not now:
            shown.append({"kind": "consent_changed", "channel": channel, "purpose": purpose, "granted": now})
        elif now is not granted:
            shown.append({"kind": "consent_unchanged", "channel": channel, "purpose": purpose, "granted": now})
    profile, first = _profile(event, before.profile)
    after = replace(before, profile=profile, words=words, consents=consents_of(words))
    return after, records, Outcome(effects=(*first, *shown))


def _said(event: CustomerEvent) -> Iterator[_Said]:
    match event:
        case ConsentStated():
            yield event.channel, event.purpose, event.granted
        case CustomerUpdated():
            yield from ((each.channel, each.purpose, each.granted) for each in event.consents or ())
        case _:
            pass


def _profile(event: CustomerEvent, before: Profile) -> tuple[Profile, tuple[dict[str, object], ...]]:
    """The profile afterwards: the later one by `occurred_at`, of two at one instant the one that came later."""
    if not isinstance(event, CustomerUpdated):
        return before, ()
    if before.occurred_at is not None and event.occurred_at < before.occurred_at:
        return before, ({"kind": "profile_overtaken", "known_since": before.occurred_at.isoformat()},)
    after = Profile(
        state=ProfileState.KNOWN, email=event.email, name=event.name, locale=event.locale, time_zone=event.time_zone,
        kind=event.kind, phone=event.phone, birthday=event.birthday, occurred_at=event.occurred_at,
    )  # fmt: skip
    return after, ({"kind": "profile_updated"},)
