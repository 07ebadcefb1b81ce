"""Something happened that a customer is told: points came or went, a feedback was given."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from services.notifications.application.causes import told_by
from services.notifications.application.days import Days
from services.notifications.application.outgoing import announcement, is_announced
from services.notifications.application.stores import Stores
from services.notifications.domain.customer import Customer, ProfileState
from services.notifications.domain.decision import PROFILE_PATIENCE, decide, is_history
from services.notifications.domain.message import Message, Status, message_id
from shared.db.transaction import Transaction
from shared.events.contract import CustomerEvent
from shared.messaging.incoming import Effects, Incoming, Outcome
from shared.observability.metrics import MESSAGES_SKIPPED


async def on_causes(stores: Stores, tx: Transaction, events: Sequence[Incoming], effects: Effects) -> None:
    """Write the messages that the events give, with what becomes of each."""
    known = await stores.of_known_tenants(tx, events, effects)
    customers = await stores.customers.lock(tx, {key for _, _, key in known})
    known = await stores.of_their_lives(tx, known)
    pseudonyms = {key for _, _, key in known} - customers.keys()
    if pseudonyms:
        customers |= await stores.customers.lock(tx, pseudonyms)
    days = await Days.of(stores, tx, known, customers)
    written: list[Message] = []
    for incoming, event, key in known:
        messages = messages_of(incoming, event, customers[key], days)
        written += messages
        effects.outcomes[incoming.id] = Outcome(effects=tuple(_shown(message) for message in messages))
        effects.outgoing += [
            announcement(message, message.status, message.reason, incoming.envelope.time, tx.now)
            for message in messages
            if is_announced(message.status)
        ]
    await stores.messages.add(tx, written)
    for reason, count in Counter(message.reason for message in written if message.reason).items():
        MESSAGES_SKIPPED.labels(reason).inc(count)


def messages_of(incoming: Incoming, event: CustomerEvent, customer: Customer, days: Days) -> list[Message]:
    """The messages that an event gives, each with the gate's decision."""
    told = told_by(event)
    if told is None:
        return []
    taken_in_at = incoming.envelope.time
    history = is_history(event.occurred_at, taken_in_at)
    found: list[Message] = []
    for channel in told.template.channels:
        repeated = days.repeats(told.template, channel, incoming.tenant, event, customer)
        decision = decide(channel, told.template.purpose, customer, history=history, repeated=repeated)
        if decision.status is not Status.SKIPPED:
            days.note(told.template, channel, incoming.tenant, event, customer)
        found.append(
            Message(
                id=message_id(incoming.id, told.template.name, channel),
                tenant=incoming.tenant,
                customer_id=event.customer_id,
                cause_id=incoming.id,
                origin_id=told.origin_id or incoming.id,
                template=told.template.name,
                channel=channel,
                purpose=told.template.purpose,
                facts={} if customer.profile.state is ProfileState.ERASED else told.facts,
                status=decision.status,
                reason=decision.reason,
                due_at=taken_in_at + PROFILE_PATIENCE if decision.status is Status.WAITING else None,
                correlation_id=incoming.envelope.correlation_id,
                traceparent=incoming.envelope.traceparent,
            )
        )
    return found


def _shown(message: Message) -> dict[str, Any]:
    shown = {
        "kind": "message", "message_id": message.id, "template": message.template, "channel": message.channel,
        "status": message.status,
    }  # fmt: skip
    return shown | ({"reason": message.reason} if message.reason else {})
