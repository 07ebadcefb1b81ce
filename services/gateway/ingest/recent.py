"""What was acknowledged of late, so that another body under the same event id is refused while the caller still waits.

Only a courtesy of one process: whoever comes later, or to another process, is told by GET /v1/events/{event_id}. The
services' inboxes alone decide which body counts.
"""

from datetime import datetime

from shared.errors import ConflictError
from shared.events.envelope import Record

_Body = tuple[int, datetime]


class RecentEvents:
    """Remembers the last events that were acknowledged here: at most `at_most`, at least half as many; 0 for none."""

    __slots__ = ("_half", "_newer", "_older")

    def __init__(self, at_most: int) -> None:
        self._half = at_most // 2
        self._newer: dict[str, _Body] = {}
        self._older: dict[str, _Body] = {}

    def check(self, event_id: str, record: Record) -> None:
        """Raises ConflictError if another body has this id."""
        known = self._newer.get(event_id) or self._older.get(event_id)
        if known is not None and known[0] != hash(record.value):
            raise conflict(event_id, known[1])

    def keep(self, event_id: str, record: Record, at: datetime) -> None:
        """This body was acknowledged under this id."""
        if event_id in self._newer or not self._half:
            return
        if len(self._newer) >= self._half:
            self._older, self._newer = self._newer, {}
        self._newer[event_id] = hash(record.value), at


def conflict(event_id: str, received_at: datetime) -> ConflictError:
    """What to say of another body under an id that was taken at this instant."""
    return ConflictError(
        f"This event id was taken at {received_at.isoformat(timespec='seconds')} with another body, which counts;"
        " nothing of this one was taken in. Repeat the first body, or give this event an id of its own.",
        code="event_id_conflict", event_id=event_id, status_url=f"/v1/events/{event_id}",
        received_at=received_at.isoformat(),
    )  # fmt: skip
