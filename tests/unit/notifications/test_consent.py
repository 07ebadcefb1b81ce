"""What holds of what customers, and their shop, say about messages."""

from datetime import timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.consent import Source, Word, Words, consents_of, effective, with_word
from tests.unit.notifications.sample import NOW

SHOP, CUSTOMER = Source.SHOP, Source.CUSTOMER
KEY = ("email", "marketing")
words = st.tuples(
    st.sampled_from(Source), st.builds(Word, st.booleans(), st.integers(0, 3).map(lambda day: NOW + timedelta(day)))
)


def said(*all_said: tuple[Source, Word]) -> Words:
    found: Words = {}
    for source, word in all_said:
        found = with_word(found, source, word)
    return found


def word(granted: bool, day: int) -> Word:
    return Word(granted, NOW + timedelta(day))


def test_the_later_word_of_a_source_counts_and_of_two_at_once_the_withdrawal() -> None:
    assert effective(said((SHOP, word(False, 2)), (SHOP, word(True, 1)))) is False
    assert effective(said((SHOP, word(True, 1)), (SHOP, word(False, 1)))) is False
    assert effective(said((SHOP, word(False, 1)), (SHOP, word(True, 2)))) is True
    assert effective({}) is None


def test_the_shop_never_gives_back_what_the_person_withdrew() -> None:
    assert effective(said((CUSTOMER, word(False, 1)), (SHOP, word(True, 9)))) is False
    assert effective(said((CUSTOMER, word(True, 1)), (SHOP, word(False, 9)))) is False
    assert effective(said((CUSTOMER, word(False, 1)), (SHOP, word(True, 9)), (CUSTOMER, word(True, 2)))) is True


def test_withdrawals_from_before_an_erasure_hold_until_the_person_says_otherwise() -> None:
    old = [(KEY, NOW)]
    assert consents_of({KEY: said((SHOP, word(True, 1)))}, old) == {KEY: False}
    assert consents_of({}, old) == {KEY: False}
    assert consents_of({KEY: said((CUSTOMER, word(True, 1)))}, old) == {KEY: True}


@given(st.lists(words, max_size=5))
def test_whatever_the_order_of_arrival_the_same_holds(all_said: list[tuple[Source, Word]]) -> None:
    assert len({effective(said(*order)) for order in permutations(all_said)}) <= 1


@given(st.lists(words, max_size=8))
def test_nothing_but_the_persons_own_later_word_lifts_their_withdrawal(all_said: list[tuple[Source, Word]]) -> None:
    own = [each for source, each in all_said if source is CUSTOMER]
    newest = max(own, key=lambda each: (each.said_at, not each.granted), default=None)
    if newest is not None and not newest.granted:
        assert effective(said(*all_said)) is False
