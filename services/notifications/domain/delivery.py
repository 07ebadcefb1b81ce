"""What follows from the mail server's answer to an attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from services.notifications.domain.message import Status

# Enhanced codes (RFC 3463) of a refusal that is about the address itself: unknown, moved, disabled. Others, such as
# 5.7.1 "relaying denied" or 5.2.2 "mailbox full", are refusals too, but must not put a good address on our list.
_ABOUT_THE_ADDRESS: Final = ("5.0.", "5.1.", "5.2.1")

LONGEST_PAUSE_S: Final = 86_400
"""Before its next attempt a message never waits longer."""


class Stage(Enum):
    """Where the mail server gave its answer."""

    CONNECTION = "connection"  # before it heard of the message, or by hanging up
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mail server said; `code` is SMTP's, 0 where there was none, `enhanced` such as `5.1.1` or empty."""

    stage: Stage
    code: int = 0
    enhanced: str = ""

    @property
    def is_permanent(self) -> bool:
        """Whether the same attempt can never succeed."""
        return 500 <= self.code < 600

    @property
    def told(self) -> str:
        """It, as a reason: never the server's own text, which quotes the address."""
        return f"smtp_{self.code}" if self.code else "connection"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What the message becomes. `delay_s` is for one that is queued again; `counts` whether the attempt was one."""

    status: Status
    reason: str | None = None
    delay_s: float = 0.0
    counts: bool = True
    suppress: bool = False


def consequence(answer: Answer, attempts: int, delays_s: Sequence[float], hang_ups: int = 0) -> Consequence:
    """What an answer means for a message after `attempts` attempts that counted, this one included.

    A connection that fails says nothing about the message: it does not count, and the message comes again soon; later
    and later if it is always this message's connection that fails (`hang_ups`).
    """
    match answer.stage:
        case Stage.ACCEPTED:
            return Consequence(Status.SENT)
        case Stage.CONNECTION:
            return Consequence(Status.QUEUED, answer.told, delay_s=min(2.0**hang_ups, 3600.0), counts=False)
        case Stage.RECIPIENT if answer.is_permanent:
            return Consequence(Status.BOUNCED, answer.told, suppress=_is_about_the_address(answer))
        case Stage.CONTENT if answer.is_permanent:
            return Consequence(Status.FAILED, answer.told)
    # Refused for now; or for good as a sender, which is our own configuration's fault and may be mended meanwhile.
    if attempts > len(delays_s):
        return Consequence(Status.FAILED, answer.told)
    return Consequence(Status.QUEUED, answer.told, delay_s=delays_s[attempts - 1])


def _is_about_the_address(answer: Answer) -> bool:
    return not answer.enhanced or answer.enhanced.startswith(_ABOUT_THE_ADDRESS)
