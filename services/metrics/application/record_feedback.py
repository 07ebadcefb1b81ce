"""feedback.submitted: answers to surveys."""

from collections.abc import Sequence
from uuid import UUID

from services.metrics.application.outcomes import PROGRAMME_UNKNOWN, effect, refusal
from services.metrics.application.ports import Store
from services.metrics.domain.errors import RefusedEventError
from services.metrics.domain.feedback import Answer
from services.metrics.domain.programme import Programme
from shared.events.feedback import SCALES, FeedbackSubmitted
from shared.messaging.incoming import Incoming, Outcome


async def record_feedback(store: Store, events: Sequence[Incoming]) -> dict[UUID, Outcome]:
    """Keep every answer; which of a customer's answers counts is decided by who asks."""
    programmes = await store.programmes.find(incoming.tenant for incoming in events)
    outcomes: dict[UUID, Outcome] = {}
    answers: list[Answer] = []
    for incoming in events:
        programme = programmes.get(incoming.tenant)
        if programme is None:
            outcomes[incoming.id] = PROGRAMME_UNKNOWN
            continue
        try:
            answer = _answer(incoming, programme)
        except RefusedEventError as refused:
            outcomes[incoming.id] = refusal(refused.code)
            continue
        answers.append(answer)
        outcomes[incoming.id] = effect("feedback.counted", feedback=answer.kind, score=answer.score)
    await store.answers.append(answers)
    return outcomes


def _answer(incoming: Incoming, programme: Programme) -> Answer:
    event = incoming.event
    if not isinstance(event, FeedbackSubmitted):
        raise TypeError(f"{type(event).__name__} is no feedback")
    answer = Answer(
        tenant=incoming.tenant,
        event_id=incoming.id,
        customer=event.customer_id,
        kind=event.kind,
        score=event.score,
        occurred_at=event.occurred_at,
        day=programme.business_date(event.occurred_at),
        order_id=event.order_id,
    )
    answer.require_scale(*SCALES[event.kind])
    return answer
