"""Which message an event gives."""

from typing import Any

import pytest

from services.notifications.application.causes import told_by
from services.notifications.domain.templates import (
    FEEDBACK_SORRY,
    FEEDBACK_THANKS,
    POINTS_EARNED,
    POINTS_RESTORED,
    POINTS_RETURNED,
)
from shared.events.feedback import FeedbackSubmitted
from shared.events.points import PointsClawedBack, PointsEarned, PointsRestored
from shared.ids import new_id
from tests.unit.notifications.sample import NOW

PURCHASE = new_id()
WALLET: dict[str, Any] = {
    "occurred_at": NOW, "customer_id": "ada", "entry_id": new_id(), "cause_id": PURCHASE, "points": 25,
    "available": 125, "wallet_version": 3,
}  # fmt: skip
LOW = {"nps": range(7), "csat": range(1, 3), "ces": range(1, 4), "review": range(1, 3)}
SCALES = {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8), "review": range(1, 6)}


def test_points_earned() -> None:
    told = told_by(PointsEarned(**WALLET, order_id="A-1", pending=25, active_from=NOW))
    assert told is not None
    assert (told.template, told.origin_id) == (POINTS_EARNED, PURCHASE)
    assert told.facts == {
        "points": 25, "available": 125, "pending": 25, "debt": 0, "order_id": "A-1",
        "occurred_at": NOW.isoformat(), "active_from": NOW.isoformat(),
    }  # fmt: skip


def test_points_clawed_back() -> None:
    told = told_by(PointsClawedBack(**WALLET, debt=5))
    assert told is not None
    assert (told.template, told.origin_id, told.facts["debt"]) == (POINTS_RETURNED, PURCHASE, 5)


def test_points_restored() -> None:
    told = told_by(PointsRestored(**WALLET))
    assert told is not None
    assert (told.template, told.origin_id, told.facts["points"]) == (POINTS_RESTORED, PURCHASE, 25)


def test_no_points_are_nothing_to_tell() -> None:
    assert told_by(PointsEarned(**(WALLET | {"points": 0}))) is None


@pytest.mark.parametrize("kind", LOW)
def test_who_was_unhappy_gets_an_apology(kind: str) -> None:
    for score in SCALES[kind]:
        told = told_by(feedback(kind, score))
        assert told is not None
        assert told.template == (FEEDBACK_SORRY if score in LOW[kind] else FEEDBACK_THANKS), score
        assert told.origin_id is None


def test_what_a_customer_wrote_is_no_fact_of_a_message() -> None:
    told = told_by(feedback("nps", 3, comment="my name is Ada"))
    assert told is not None
    assert "Ada" not in str(told.facts)


def feedback(kind: str, score: int, comment: str | None = None) -> FeedbackSubmitted:
    return FeedbackSubmitted(occurred_at=NOW, customer_id="ada", kind=kind, score=score, comment=comment)  # type: ignore[arg-type]
