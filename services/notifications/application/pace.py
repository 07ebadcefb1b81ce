"""The rate limit of a process's mails: a mail server, or a provider's contract, takes so many a second."""

import asyncio
import contextlib


class Pace:
    """Gives out turns, evenly spaced; shared by all senders of a process. 0 a second: no limit."""

    def __init__(self, per_second: float) -> None:
        self._gap_s = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def turn(self, stop: asyncio.Event) -> None:
        """Return when it is the caller's turn, or when `stop` is set."""
        if not self._gap_s:
            return
        now = asyncio.get_running_loop().time()
        mine = max(self._next, now)
        self._next = mine + self._gap_s
        if mine > now:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=mine - now)
