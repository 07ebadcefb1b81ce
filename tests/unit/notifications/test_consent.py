"""What customers say about messages."""

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.consent import changed, changes

KEY = ("email", "marketing")
OTHER = ("email", "service")
keys = st.tuples(st.sampled_from(["email", "sms", "inapp"]), st.sampled_from(["service", "marketing"]))
consents = st.dictionaries(keys, st.booleans())


def test_a_list_replaces_all_that_was_said() -> None:
    assert changes({KEY: True, OTHER: False}, [(*KEY, False)]) == {KEY: False, OTHER: None}


def test_saying_it_again_changes_nothing() -> None:
    assert changes({KEY: True}, [(*KEY, True)]) == {}


def test_an_empty_list_takes_everything_back() -> None:
    assert changes({KEY: True}, []) == {KEY: None}


def test_the_last_word_counts_within_a_list() -> None:
    assert changes({}, [(*KEY, True), (*KEY, False)]) == {KEY: False}


@given(consents, consents)
def test_the_changes_lead_from_what_was_to_what_is(
    before: dict[tuple[str, str], bool], now: dict[tuple[str, str], bool]
) -> None:
    new = changes(before, [(*key, answer) for key, answer in now.items()])
    assert changed(before, new) == now
    assert all(before.get(key) is not answer for key, answer in new.items())
