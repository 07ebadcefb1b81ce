"""What the gateway remembers of acknowledged events."""

import pytest

from services.gateway.ingest.recent import RecentEvents
from shared.errors import ConflictError
from shared.events.envelope import Record
from tests.unit.gateway.bodies import NOW


def record(value: bytes) -> Record:
    return Record("treue.purchases", b"t:c", value, [])


def refuses(recent: RecentEvents, event_id: str, value: bytes) -> bool:
    try:
        recent.check(event_id, record(value))
    except ConflictError:
        return True
    return False


def test_another_body_is_refused_and_the_same_one_is_not() -> None:
    recent = RecentEvents(10)
    assert not refuses(recent, "e", b"one")
    recent.keep("e", record(b"one"), NOW)
    assert not refuses(recent, "e", b"one")
    with pytest.raises(ConflictError) as refused:
        recent.check("e", record(b"two"))
    assert (refused.value.code, refused.value.extra["event_id"]) == ("event_id_conflict", "e")
    assert NOW.isoformat() in refused.value.extra["received_at"]


def test_the_first_body_stays_the_one_that_counts() -> None:
    recent = RecentEvents(10)
    recent.keep("e", record(b"one"), NOW)
    recent.keep("e", record(b"two"), NOW)  # both were under way at once
    assert refuses(recent, "e", b"two")


@pytest.mark.parametrize("at_most", [0, 2, 10])
def test_it_stays_within_its_bound_and_keeps_the_newest(at_most: int) -> None:
    recent = RecentEvents(at_most)
    for number in range(100):
        recent.keep(str(number), record(b"one"), NOW)
    known = [number for number in range(100) if refuses(recent, str(number), b"two")]
    assert at_most // 2 <= len(known) <= at_most
    assert known == list(range(100 - len(known), 100))
