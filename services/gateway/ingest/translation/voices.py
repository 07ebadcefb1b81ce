"""What customers say and do."""

from services.gateway.ingest import contracts, rules
from services.gateway.ingest.reception import Reception
from services.gateway.ingest.translation.properties import are_properties, properties_of
from services.gateway.ingest.translation.times import accepted
from shared.events.activities import ActivityRecorded
from shared.events.feedback import SCALES, FeedbackSubmitted


def feedback(given: contracts.Feedback, at: Reception, plain: bool) -> FeedbackSubmitted | None:
    """An answer to a survey, or a review. Raises NotFoundError when a customer speaks for another."""
    customer_id = _customer(given, at)
    occurred_at = accepted(given.occurred_at, at)
    low, high = SCALES[given.kind]
    if customer_id is None or occurred_at is None or not low <= given.score <= high:
        return None
    if not plain and not (_is_good_event_id(given) and _has_good_texts(given)):
        return None
    return FeedbackSubmitted(
        occurred_at=occurred_at,
        customer_id=customer_id,
        kind=given.kind,
        score=given.score,
        comment=given.comment or None,
        order_id=given.order_id or None,
        publish_consent=bool(given.publish_consent),
    )


def activity(given: contracts.Activity, at: Reception, plain: bool) -> ActivityRecorded | None:
    """Something else that a customer did. Raises NotFoundError when a customer speaks for another."""
    customer_id = _customer(given, at)
    occurred_at = accepted(given.occurred_at, at)
    if customer_id is None or occurred_at is None or not rules.is_activity_kind(given.kind):
        return None
    if not plain and not (_is_good_event_id(given) and are_properties(given.properties)):
        return None
    return ActivityRecorded(
        occurred_at=occurred_at, customer_id=customer_id, kind=given.kind, properties=properties_of(given.properties)
    )


def _customer(given: contracts.Feedback | contracts.Activity, at: Reception) -> str | None:
    customer_id = at.own(given.customer_id or None)
    return customer_id if customer_id is not None and rules.is_customer_id(customer_id) else None


def _is_good_event_id(given: contracts.Given) -> bool:
    return not given.event_id or rules.is_id(given.event_id)


def _has_good_texts(given: contracts.Feedback) -> bool:
    return rules.is_text(given.comment or "") and (not given.order_id or rules.is_id(given.order_id))
