"""Answers of the database, remembered: asking it for every event would cost more than the event, and events must be
taken in while it is away.

    younger than `fresh_s`   answered at once
    younger than `soft_s`    answered at once, and looked up again behind the answer
    older                    looked up first; while the source is away, or slower than `patience_s`, the old answer
                             stands until `stale_s`
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final, Generic, TypeVar

from shared.errors import TreueError, UnavailableError

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Ages:
    """How old an answer may be, in seconds. `refused_s`: how long a refusal stands; `retry_s`: how long a source that
    is away is left alone; `patience_s`: how long to wait for it while there is an old answer."""

    fresh_s: float
    soft_s: float
    stale_s: float
    refused_s: float = 2.0
    retry_s: float = 1.0
    patience_s: float = 0.3


class _Entry(Generic[V]):
    __slots__ = ("asked_at", "retry_at", "value")

    def __init__(self, value: V) -> None:
        self.value = value
        self.asked_at = self.retry_at = monotonic()


_NEVER: Final = (float("-inf"), TreueError("never asked"))


class Remembered(Generic[K, V]):
    """A bounded memory of what `load` answered. `load` raises UnavailableError when it could not find out, and any
    other TreueError when the answer is no. Refusals have a memory of their own: however many there are, no good answer
    is forgotten for them."""

    def __init__(self, load: Callable[[K], Awaitable[V]], ages: Ages, size_max: int = 20_000) -> None:
        self._load, self._ages, self._size_max = load, ages, size_max
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._refusals: OrderedDict[K, tuple[float, TreueError]] = OrderedDict()
        self._loading: dict[K, asyncio.Task[V]] = {}

    def at_once(self, key: K) -> V | None:
        """The answer if it is fresh: no await, no task."""
        entry = self._entries.get(key)
        if entry is not None and monotonic() - entry.asked_at < self._ages.fresh_s:
            return entry.value
        return None

    def last(self, key: K) -> V | None:
        """The last answer, however old."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    async def get(self, key: K) -> V:
        """The answer. Raises what `load` raises."""
        entry = self._entries.get(key)
        now = monotonic()
        if entry is None:
            refused_at, refusal = self._refusals.get(key, _NEVER)
            if now - refused_at < self._ages.refused_s:
                raise refusal.with_traceback(None)
            return await self._ask(key)
        age = now - entry.asked_at
        if age < self._ages.fresh_s or (now < entry.retry_at and age < self._ages.stale_s):
            return entry.value
        if age < self._ages.soft_s:
            _ = self._start(key)
            return entry.value
        return await self._ask_or_keep(key, entry, entry.value)

    def put(self, key: K, value: V) -> None:
        """Remember what became known otherwise."""
        self._refusals.pop(key, None)
        self._entries[key] = _Entry(value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._size_max:
            self._entries.popitem(last=False)

    def forget(self, wanted: Callable[[K, V], bool]) -> None:
        """Forget what `wanted` points at, so that it is looked up again."""
        for key in [key for key, entry in self._entries.items() if wanted(key, entry.value)]:
            del self._entries[key]

    async def _ask_or_keep(self, key: K, entry: _Entry[V], value: V) -> V:
        task = self._start(key)
        done, _ = await asyncio.wait({task}, timeout=self._ages.patience_s)
        if done and not isinstance(task.exception(), UnavailableError):
            return task.result()
        now = monotonic()
        if now - entry.asked_at >= self._ages.stale_s:
            return await asyncio.shield(task)
        entry.retry_at = now + self._ages.retry_s
        return value

    async def _ask(self, key: K) -> V:
        return await asyncio.shield(self._start(key))

    def _start(self, key: K) -> asyncio.Task[V]:
        """One look-up at a time for each key, however many wait for it."""
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.ensure_future(self._look_up(key))
            task.add_done_callback(lambda done: self._settle(key, done))
        return task

    async def _look_up(self, key: K) -> V:
        try:
            value = await self._load(key)
        except UnavailableError:
            entry = self._entries.get(key)
            if entry is not None:
                entry.retry_at = monotonic() + self._ages.retry_s
            raise
        except TreueError as refusal:
            self._refuse(key, refusal)
            raise
        self.put(key, value)
        return value

    def _refuse(self, key: K, refusal: TreueError) -> None:
        self._entries.pop(key, None)
        self._refusals[key] = monotonic(), refusal
        self._refusals.move_to_end(key)
        if len(self._refusals) > self._size_max:
            self._refusals.popitem(last=False)

    def _settle(self, key: K, done: asyncio.Task[V]) -> None:
        self._loading.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waits gets it; nobody may be waiting
