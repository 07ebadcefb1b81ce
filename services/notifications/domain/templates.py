"""The messages that there are. Their texts lie in adapters/templates, in every language.

None of these asks for a rating or praises goods: that would be advertising (BGH VI ZR 225/17) and need its consent.
"""

from dataclasses import dataclass
from typing import Final

from services.notifications.domain.message import Channel, Purpose


@dataclass(frozen=True, slots=True)
class Template:
    """What a message is for and where it goes."""

    name: str
    channels: tuple[Channel, ...]
    purpose: Purpose = Purpose.SERVICE
    once_a_day: bool = False  # of several on one local day of the customer only the first goes out


_EVERYWHERE = (Channel.INAPP, Channel.EMAIL)

POINTS_EARNED: Final = Template("points_earned", _EVERYWHERE)
POINTS_RETURNED: Final = Template("points_returned", _EVERYWHERE)
POINTS_RESTORED: Final = Template("points_restored", _EVERYWHERE)
FEEDBACK_THANKS: Final = Template("feedback_thanks", (Channel.INAPP,))
FEEDBACK_SORRY: Final = Template("feedback_sorry", _EVERYWHERE, once_a_day=True)

TEMPLATES: Final = (POINTS_EARNED, POINTS_RETURNED, POINTS_RESTORED, FEEDBACK_THANKS, FEEDBACK_SORRY)

# The highest answer that tells of a bad experience. An effort score counts upwards: 7 is "that was easy".
_LOW_MAX: Final = {"nps": 6, "csat": 2, "ces": 3, "review": 2}


def feedback_template(kind: str, score: int) -> Template:
    """The answer to a feedback: who was unhappy gets an apology in place of the thanks, not both."""
    return FEEDBACK_SORRY if score <= _LOW_MAX[kind] else FEEDBACK_THANKS
