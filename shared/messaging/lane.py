"""A lane is one partition in our hands: claimed, checked, worked batch after batch until somebody else claims it."""

import asyncio
import random
from collections.abc import Sequence

from shared.messaging import dead_letters
from shared.messaging.failures import Verdict, verdict
from shared.messaging.incoming import Incoming, Item
from shared.messaging.offsets import AlreadyAppliedError, Claim, FencedError
from shared.messaging.posting import Posting
from shared.observability.logging import get_logger
from shared.observability.metrics import RETRIES

_log = get_logger(__name__)
_BACKOFF_MAX_S = 5.0
_REPEATS_MAX = 20


class HaltError(Exception):
    """The partition must not go on before somebody has looked: going on would lose or repeat something."""


class Lane:
    """Works one claimed partition. Only one batch is under way at a time."""

    def __init__(self, claim: Claim, posting: Posting, *, service: str) -> None:
        self.claim, self._posting, self._service = claim, posting, service
        self.position = claim.next_offset
        self._consecutive_dead = claim.consecutive_dead

    async def work(self, items: Sequence[Item]) -> None:
        """Bring these items into the database, however long the database is away.

        Raises FencedError when the partition is no longer ours, HaltError when the limit of dead letters is reached.
        """
        items = [item for item in items if item.raw.offset >= self.position]
        if items:
            await self._persist(items)

    async def _persist(self, items: Sequence[Item]) -> None:
        """Try until it is in; split a batch that is refused until the refused event is alone."""
        attempt = repeats = 0
        while True:
            try:
                await self._post(items)
            except (FencedError, HaltError, asyncio.CancelledError):
                raise
            except Exception as error:  # noqa: BLE001 - judged by failures.verdict, never swallowed
                judged = verdict(error)
                RETRIES.labels(self._service, type(error).__name__).inc()
                repeats += judged is Verdict.REPEAT
                if judged is Verdict.REFUSE or repeats > _REPEATS_MAX:
                    await self._refuse(items, error)
                    return
                await self._pause(attempt if judged is Verdict.RETRY else 0, error)
                attempt += judged is Verdict.RETRY
            else:
                return

    async def _post(self, items: Sequence[Item]) -> None:
        try:
            tally = await self._posting.post(self.claim, self.position, items)
        except AlreadyAppliedError:
            _log.info("commit_was_applied", topic=self.claim.topic, part=self.claim.part, last=items[-1].raw.offset)
        else:
            self._consecutive_dead = 0 if tally.worked else self._consecutive_dead
        self.position = items[-1].raw.offset + 1

    async def _refuse(self, items: Sequence[Item], error: Exception) -> None:
        """Find the event that cannot be applied: halve the batch, and make a dead letter of what stands alone."""
        if len(items) > 1:
            middle = len(items) // 2
            await self._persist(items[:middle])
            await self._persist(items[middle:])
            return
        event = items[0]
        if not isinstance(event, Incoming):
            raise error  # a record that is no event is kept without the service's help: this is our own fault
        if self._consecutive_dead >= dead_letters.CONSECUTIVE_MAX:
            raise HaltError(
                f"{self._consecutive_dead} dead letters in a row, the last for {type(error).__name__}: {error}"
            ) from error
        _log.error(
            "event_dead_lettered", topic=event.raw.topic, part=event.raw.part, offset=event.raw.offset,
            event_type=event.envelope.type, error=type(error).__name__, exc_info=error,
        )  # fmt: skip
        await self._bury(event, error)

    async def _bury(self, event: Incoming, error: Exception) -> None:
        attempt = 0
        while True:
            try:
                await self._posting.bury(self.claim, self.position, event, error)
            except AlreadyAppliedError:
                break
            except Exception as again:
                if verdict(again) is Verdict.REFUSE:
                    raise
                await self._pause(attempt, again)
                attempt += 1
            else:
                break
        self.position = event.raw.offset + 1
        self._consecutive_dead += 1

    async def _pause(self, attempt: int, error: BaseException) -> None:
        delay_s = min(0.05 * 2**attempt, _BACKOFF_MAX_S) * (0.5 + random.random())  # noqa: S311 - jitter
        if attempt:
            _log.warning(
                "batch_retried", topic=self.claim.topic, part=self.claim.part, attempt=attempt,
                error=f"{type(error).__name__}: {error}"[:300], again_in_s=round(delay_s, 2),
            )  # fmt: skip
        await asyncio.sleep(delay_s)
