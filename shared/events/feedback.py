"""What customers say."""

from typing import ClassVar, Literal

from shared.events.contract import CustomerEvent, Int64, Topic

FeedbackKind = Literal["nps", "csat", "ces", "review"]

# The answers each kind allows, both ends included. Scales are never mixed.
SCALES: dict[FeedbackKind, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "review": (1, 5)}


class FeedbackSubmitted(CustomerEvent, frozen=True, omit_defaults=True, kw_only=True):
    """A customer answered a survey or wrote a review."""

    TYPE: ClassVar[str] = "feedback.submitted"
    TOPIC: ClassVar[Topic] = Topic.FEEDBACK

    kind: FeedbackKind
    score: Int64
    comment: str | None = None
    order_id: str | None = None
    publish_consent: bool = False
