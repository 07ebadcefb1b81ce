"""The offsets that a service passed and of which it kept no row: where they are, and the records that Kafka has there.

The server finds them in one sorted pass and hands them over one after the other. Neighbours are read in one go, so that
a partition full of them is a single pass over its log.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import asyncpg

from shared.messaging.history import History
from shared.messaging.incoming import RawRecord

_NEAR = 5_000  # reading on is quicker than asking anew
_TOGETHER_MAX = 10_000
_FETCHED = 1_000

# A parked row that `treue replay` brought back is no trace of what became of the record when it was passed. Partitions
# are numbered for the sort, which is most of the work.
_HOLES = """
    WITH line AS (
        SELECT topic, part, first_offset, next_offset, row_number() OVER (ORDER BY topic, part) AS n
        FROM {s}.consumer_offset
    ), kept AS (
        SELECT topic, part, off FROM {s}.inbox
        UNION ALL SELECT topic, part, off FROM {s}.dead_letter WHERE state <> 'retried'
        UNION ALL SELECT topic, part, off FROM {s}.parked_event WHERE reason <> 'replay'
    ), passed AS (
        SELECT n, off, first_offset FROM kept JOIN line USING (topic, part)
        WHERE off >= first_offset AND off < next_offset
        UNION ALL SELECT n, next_offset, first_offset FROM line
    ), neighbours AS (
        SELECT n, off, coalesce(lag(off) OVER (PARTITION BY n ORDER BY off) + 1, first_offset) AS first FROM passed
    )
    SELECT topic, part, first, off AS stop FROM neighbours JOIN line USING (n) WHERE first < off ORDER BY n, off
"""


@dataclass(slots=True)
class Hole:
    """Offsets of one partition from `first` up to, not including, `stop`."""

    topic: str
    part: int
    first: int
    stop: int


async def runs_of_holes(connection: asyncpg.Connection, service: str) -> AsyncIterator[list[Hole]]:
    """Holes of one partition that lie near each other, in the order of their offsets. Needs an open transaction."""
    run: list[Hole] = []
    async for row in connection.cursor(_HOLES.format(s=service), prefetch=_FETCHED):
        hole = Hole(*row)
        if run and (not _goes_with(run[-1], hole) or len(run) == _TOGETHER_MAX):
            yield run
            run = []
        run.append(hole)
    if run:
        yield run


def _goes_with(last: Hole, hole: Hole) -> bool:
    return (last.topic, last.part) == (hole.topic, hole.part) and hole.first - last.stop < _NEAR


async def fill(
    history: History, run: Sequence[Hole], log: tuple[int, int]
) -> AsyncIterator[tuple[list[RawRecord], list[Hole]]]:
    """What Kafka has in these holes, in chunks: the records, and the stretches in which there is none."""
    waiting = iter(run)
    walk = _Walk(next(waiting), waiting)
    first, stop = max(run[0].first, log[0]), min(run[-1].stop, log[1])
    if first < stop:
        async for chunk in history.read(run[0].topic, run[0].part, first, stop):
            yield [raw for raw in chunk if walk.meets(raw.offset)], walk.take_empty()
    walk.end()
    yield [], walk.take_empty()


class _Walk:
    """Goes through the holes along the records."""

    def __init__(self, hole: Hole, waiting: Iterator[Hole]) -> None:
        self._hole: Hole | None = hole
        self._waiting, self._empty = waiting, list[Hole]()

    def meets(self, offset: int) -> bool:
        """Whether this offset lies in a hole. Offsets come in their order."""
        while self._hole is not None and self._hole.stop <= offset:
            self._leave(self._hole.stop)
            self._hole = next(self._waiting, None)
        if self._hole is None or offset < self._hole.first:
            return False
        self._leave(offset)
        self._hole.first = offset + 1
        return True

    def end(self) -> None:
        """There are no more records."""
        while self._hole is not None:
            self._leave(self._hole.stop)
            self._hole = next(self._waiting, None)

    def take_empty(self) -> list[Hole]:
        """The stretches without a record since this was last asked."""
        found, self._empty = self._empty, []
        return found

    def _leave(self, offset: int) -> None:
        hole = self._hole
        if hole is not None and hole.first < offset:
            self._empty.append(Hole(hole.topic, hole.part, hole.first, offset))
