"""What the application says of an event."""

from shared.messaging.incoming import Outcome

# A tenant's events may overtake its programme, which travels on a topic of its own.
PROGRAMME_UNKNOWN = Outcome("waiting", "programme_unknown")


def effect(kind: str, **what: object) -> Outcome:
    """Applied, with one effect to show."""
    return Outcome(effects=({"kind": kind, **what},))


def refusal(reason: str) -> Outcome:
    """Rejected for a reason."""
    return Outcome("rejected", reason)
