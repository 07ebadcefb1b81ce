"""What a customer allows, and what changes when they say it anew."""

from collections.abc import Iterable, Mapping

from services.notifications.domain.message import Channel, Purpose

# (channel, purpose) -> granted. What is not in it was never said.
Consents = Mapping[tuple[str, str], bool]


def withdrawn(consents: Consents, channel: Channel, purpose: Purpose) -> bool:
    """Whether the customer said no."""
    return consents.get((channel, purpose)) is False


def granted(consents: Consents, channel: Channel, purpose: Purpose) -> bool:
    """Whether the customer said yes."""
    return consents.get((channel, purpose)) is True


def changes(before: Consents, said: Iterable[tuple[str, str, bool]]) -> dict[tuple[str, str], bool | None]:
    """What the list `said`, which replaces everything said before, changes; None: no longer said."""
    after = {(channel, purpose): answer for channel, purpose, answer in said}
    gone: dict[tuple[str, str], bool | None] = {key: None for key in before if key not in after}
    return gone | {key: answer for key, answer in after.items() if before.get(key) is not answer}


def changed(before: Consents, changes: Mapping[tuple[str, str], bool | None]) -> Consents:
    """`before` with `changes` made."""
    merged = {**before, **changes}
    return {key: answer for key, answer in merged.items() if answer is not None}
