"""What a customer allows: two sources say it, and the stricter of them may hold for good.

The shop tells what it knows; customers tell it in person, with a token of their own. Of what one source says the later
word counts, by when it was said, and of two at the same instant the withdrawal. Between the sources it is the same, but
for one thing: what somebody withdrew in person, only they give back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.notifications.domain.message import Channel, Purpose

# Channel and purpose.
ConsentKey = tuple[str, str]


class Source(StrEnum):
    """Who says it."""

    SHOP = "shop"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Word:
    """What a source said, and when."""

    granted: bool
    said_at: datetime

    def counts_over(self, other: "Word | None") -> bool:
        """Whether this is the later word; at the same instant a withdrawal is."""
        if other is None:
            return True
        return (self.said_at, not self.granted) > (other.said_at, not other.granted)


# The newest word of each source.
Words = Mapping[Source, Word]
# What holds; what is not in it was never said.
Consents = Mapping[ConsentKey, bool]


def effective(words: Words) -> bool | None:
    """What holds; None where nothing was ever said."""
    own, shop = words.get(Source.CUSTOMER), words.get(Source.SHOP)
    if own is not None and (not own.granted or shop is None or own.counts_over(shop)):
        return own.granted
    return None if shop is None else shop.granted


def with_word(words: Words, source: Source, word: Word) -> Words:
    """The words after this one; the same object where it changes nothing."""
    return {**words, source: word} if word.counts_over(words.get(source)) else words


def withdrawn(consents: Consents, channel: Channel, purpose: Purpose) -> bool:
    """Whether the customer said no."""
    return consents.get((channel, purpose)) is False


def granted(consents: Consents, channel: Channel, purpose: Purpose) -> bool:
    """Whether the customer said yes."""
    return consents.get((channel, purpose)) is True


def consents_of(said: Mapping[ConsentKey, Words], withdrawals: Iterable[tuple[ConsentKey, datetime]] = ()) -> Consents:
    """What holds for somebody who said this, and whose address these withdrawals are on record for, from before an
    erasure: they are the person's own word, and hold until the person says something later."""
    words = dict(said)
    for key, since in withdrawals:
        words[key] = with_word(words.get(key, {}), Source.CUSTOMER, Word(granted=False, said_at=since))
    found = {key: effective(each) for key, each in words.items()}
    return {key: answer for key, answer in found.items() if answer is not None}
