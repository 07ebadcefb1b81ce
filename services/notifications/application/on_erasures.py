"""A customer asked to be forgotten."""

from collections.abc import Sequence
from typing import Any, Final

from services.notifications.application.outgoing import announcement
from services.notifications.application.ports import Key
from services.notifications.application.stores import Stores
from services.notifications.domain.customer import Customer, Profile, ProfileState
from shared.db.transaction import Transaction
from shared.erasures import Erasure, is_erased
from shared.messaging.incoming import Effects, Incoming, Outcome

_ERASED: Final = {
    "kind": "customer_erased",
    "erased": ["profile", "texts and facts of messages", "messages not sent yet"],
    "kept": [
        "the history of consents and what became of messages, under a pseudonym",
        "withdrawals and addresses that refused mail, as hashes of the address",
    ],
}
# Nobody else could say it: the log is no service's own.
_NOT_REACHED: Final = {
    "kind": "erasure_incomplete",
    "not_reached": [
        "topic treue.customers: profiles",
        "topic treue.purchases: metadata, coupon codes and reasons",
        "topic treue.feedback: comments",
        "topic treue.activities: properties",
        "topic treue.dead-letters and the tables dead_letter, parked_event and waiting_return: records set aside whole",
        "backups of the database and of the log",
    ],
    "why": "Kafka's log is kept for ever, so that what is derived from it can be derived again.",
}


async def on_erasures(stores: Stores, tx: Transaction, events: Sequence[Incoming], effects: Effects) -> None:
    """Forget them; one after the other, for they are rare."""
    for incoming, _event, key in await stores.of_known_tenants(tx, events, effects):
        shown: tuple[dict[str, Any], ...] = (_ERASED, _NOT_REACHED)
        customer = (await stores.customers.lock(tx, [key]))[key]
        known = (await stores.erasures.find(tx, [key])).get(key, [])
        if not is_erased(known):
            erasure = await stores.erasures.begin(tx, key, known, incoming.envelope.time)
            await _forget(stores, tx, key, customer, erasure, effects)
        effects.outcomes[incoming.id] = Outcome(effects=shown)


async def _forget(
    stores: Stores, tx: Transaction, key: Key, customer: Customer, erasure: Erasure, effects: Effects
) -> None:
    withdrawals = [consent for consent, granted in customer.consents.items() if not granted]
    if withdrawals and customer.profile.email:
        await stores.customers.keep_withdrawals(tx, key[0], customer.profile.email, withdrawals, erasure.erased_at)
    for message in await stores.messages.forget(tx, [key]):
        effects.outgoing.append(announcement(message, message.status, message.reason, tx.now, tx.now))
    await stores.customers.save_profiles(tx, {key: Profile(state=ProfileState.ERASED)})
    await stores.customers.pseudonymise(tx, key, erasure.pseudonym)
