"""A message's life, and its name."""

from itertools import product
from pathlib import Path

import pytest

from services.notifications.domain.message import TRANSITIONS, Channel, IllegalTransitionError, Status, advance
from tests.unit.notifications.sample import message

ENDS = {Status.SENT, Status.FAILED, Status.SKIPPED, Status.BOUNCED}


@pytest.mark.parametrize(("now", "then"), list(product(Status, Status)))
def test_only_legal_transitions(now: Status, then: Status) -> None:
    if then in TRANSITIONS[now]:
        assert advance(now, then) is then
    else:
        with pytest.raises(IllegalTransitionError):
            advance(now, then)


def test_every_end_is_one_and_can_be_reached() -> None:
    assert {status for status in Status if not TRANSITIONS[status]} == ENDS
    assert set().union(*TRANSITIONS.values()) >= ENDS


def test_the_database_knows_the_same_transitions() -> None:
    import services.notifications

    revision = Path(services.notifications.__file__).parent / "migrations/versions/0001_messages.py"
    written = revision.read_text()
    for now, then in product(Status, Status):
        assert (f"('{now}', '{then}')" in written) == (then in TRANSITIONS[now]), (now, then)


def test_the_same_cause_gives_the_same_message() -> None:
    assert message().id == message(correlation_id="other", facts={"points": 1}).id
    assert message().id != message(channel=Channel.INAPP).id
    assert message().id != message(template="points_returned").id
