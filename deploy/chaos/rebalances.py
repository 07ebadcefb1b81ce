"""How long a partition stands still when it changes hands: measured from outside, on the table of positions."""

import asyncio
import threading
import time
from collections.abc import Sequence

import asyncpg

_POSITIONS = "SELECT part, epoch, next_offset FROM points.consumer_offset WHERE topic = 'treue.purchases'"
_EVERY_S = 0.1


class Rebalances:
    """Watches the purchases of points until stopped. A pause goes from the last batch of the old owner to the first of
    the new one, so it holds the time in which nobody bought anything, and outages; it is an upper bound."""

    def __init__(self, database_url: str) -> None:
        self.pauses_s: list[float] = []
        self._url = database_url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), name="rebalances")
        self._thread.start()

    def finish(self) -> Sequence[float]:
        """The pauses, in order of their length."""
        self._stop.set()
        self._thread.join()
        return sorted(self.pauses_s)

    async def _watch(self) -> None:
        known: dict[int, tuple[int, int, float]] = {}
        while not self._stop.is_set():
            try:
                connection = await asyncpg.connect(self._url, timeout=5, command_timeout=5)
                try:
                    while not self._stop.is_set():
                        self._look(known, await connection.fetch(_POSITIONS))
                        await asyncio.sleep(_EVERY_S)
                finally:
                    connection.terminate()
            except Exception:  # noqa: BLE001 - whatever a broken session raises: a new one
                await asyncio.sleep(_EVERY_S)

    def _look(self, known: dict[int, tuple[int, int, float]], rows: Sequence[asyncpg.Record]) -> None:
        """`known`: the epoch and the position at the last move, and when that was."""
        now = time.monotonic()
        for part, epoch, position in rows:
            before = known.get(part)
            if before is not None and position == before[1]:
                continue
            if before is not None and epoch != before[0]:
                self.pauses_s.append(now - before[2])
            known[part] = (epoch, position, now)
