"""The relay: publishes what the outbox holds, in order per bucket, at least once.

The lease on a bucket is a row lock: it ends with the session, so a relay that dies or hangs frees it by itself. A row
is deleted only when Kafka has acknowledged all its records; a death in between publishes again, with the same ids.
So does a database that dies: it may have forgotten the newest deletions, whose commits do not wait for its disk. More
than half of a busy service's commits are a relay's; a balance was to be seen after 82 ms instead of 103 (median).
"""

import asyncio
import contextlib
import random

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transaction import Transaction, transaction
from shared.errors import UnavailableError
from shared.messaging import failpoints
from shared.messaging.failures import Verdict, verdict
from shared.messaging.outbox import unpack
from shared.messaging.producer import Producer
from shared.observability.logging import get_logger
from shared.observability.metrics import OUTBOX_AGE_SECONDS, OUTBOX_PUBLISHED, OUTBOX_ROWS
from shared.process import end

_log = get_logger(__name__)
BUCKETS_AT_ONCE = 4
_ROWS_MAX = 100
_RECORDS_MAX = 4_000  # after so many no further row is taken along
_SEND_DEADLINE_S = 8.0
_BEHIND_S = 10.0
_POLL_S = 0.25  # for what other processes of the service commit; the own consumer wakes it

# A look into each bucket's own rows, one by one: searched as a whole, the outbox is mostly what was deleted lately.
# What follows in this transaction are deletions of what Kafka has.
_LEASE = """
    SELECT b.bucket, set_config('synchronous_commit', 'off', true) FROM outbox_bucket b
    CROSS JOIN LATERAL (SELECT FROM outbox o WHERE o.bucket = b.bucket ORDER BY o.id LIMIT 1) AS waiting
    ORDER BY b.last_run FOR UPDATE OF b SKIP LOCKED LIMIT 1
"""
_ROWS = """
    SELECT id, records, created_at FROM (
        SELECT id, records, created_at, sum(record_count) OVER (ORDER BY id) - record_count AS before
        FROM outbox WHERE bucket = $1 ORDER BY id LIMIT $2
    ) AS oldest WHERE before < $3 ORDER BY id
"""
_RAN = "UPDATE outbox_bucket SET last_run = clock_timestamp() WHERE bucket = $1"
_PUBLISHED = f"WITH published AS (DELETE FROM outbox WHERE bucket = $1 AND id = any($2)) {_RAN}"  # noqa: S608 - our own
_STATE = "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) FROM outbox"


class Relay:
    """Publishes the outbox of one service's schema. Several may run side by side."""

    def __init__(self, engine: AsyncEngine, producer: Producer, *, service: str) -> None:
        self._engine, self._producer, self._service = engine, producer, service
        self._wake = asyncio.Event()
        # What was published last had waited for long: lanes at work leave the relay too little of the process. A relay
        # that fails, or has nothing to do, is not behind: nobody should wait for it.
        self.behind = False

    def wake(self) -> None:
        """Something was committed by this process: look at once instead of at the next poll."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop; then once more what is there."""
        watching = asyncio.ensure_future(self._watch())
        try:
            while not stop.is_set():
                self._wake.clear()
                if await self._publish_or_wait():
                    await self._publish_all(stop)
                else:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), timeout=_POLL_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3):
                    while await self._publish_or_wait():
                        pass
        finally:
            await end(watching)

    async def _publish_all(self, stop: asyncio.Event) -> None:
        """Several buckets side by side, each until it finds nothing more: beside lanes at work every step of a bucket
        waits for its turn in the event loop."""

        async def publish() -> None:
            while not stop.is_set() and await self._publish_or_wait():
                pass

        await asyncio.gather(*(publish() for _ in range(BUCKETS_AT_ONCE)))

    async def _publish_or_wait(self) -> bool:
        try:
            return await self.publish_bucket()
        except Exception as error:  # noqa: BLE001 - the edge of the process: judged, logged, tried again
            (_log.warning if _is_known(error) else _log.exception)(
                "relay_failed", error=f"{type(error).__name__}: {error}"
            )
            await asyncio.sleep(0.2 + random.random())  # noqa: S311 - jitter, not a secret
            return False

    async def publish_bucket(self) -> bool:
        """Publish one bucket's oldest rows; False when there was nothing to do."""
        bucket: int | None = None
        try:
            async with transaction(self._engine, statement_timeout_s=15) as tx:
                bucket = await tx.raw.fetchval(_LEASE)
                if bucket is None:
                    self._note(0.0)
                    return False
                await self._publish(tx, bucket)
        except Exception as error:
            self._note(0.0)
            if bucket is not None and not _is_known(error):
                await self._let_others_go_first(bucket)
            raise
        return True

    async def _let_others_go_first(self, bucket: int) -> None:
        """A bucket that cannot be published must not keep its turn: the other customers' records wait for nobody."""
        with contextlib.suppress(Exception):
            async with transaction(self._engine) as tx:
                await tx.raw.execute(_RAN, bucket)

    async def _publish(self, tx: Transaction, bucket: int) -> None:
        rows = await tx.raw.fetch(_ROWS, bucket, _ROWS_MAX, _RECORDS_MAX)
        if not rows:
            return  # another relay was here between the look and the lease
        records = [record for row in rows for record in unpack(row["records"])]
        failpoints.reach("relay_before_send")
        await self._producer.send(records, deadline_s=_SEND_DEADLINE_S)
        failpoints.reach("relay_after_send")
        await tx.raw.execute(_PUBLISHED, bucket, [row["id"] for row in rows])
        failpoints.reach("relay_before_commit")
        self._note((tx.now - rows[0]["created_at"]).total_seconds())
        OUTBOX_PUBLISHED.labels(self._service, records[0].topic).inc(len(records))

    def _note(self, waited_s: float) -> None:
        """How long what was just published had waited; 0 where there is nothing to wait for."""
        behind = waited_s > _BEHIND_S
        if behind and not self.behind:
            _log.warning("relay_behind", waited_s=round(waited_s, 1), effect="nothing new is read until it caught up")
        elif self.behind and not behind:
            _log.info("relay_caught_up")
        self.behind = behind

    async def _watch(self) -> None:
        """Keep the gauges of the outbox: its oldest row's age is the objective."""
        while True:
            with contextlib.suppress(Exception):
                async with transaction(self._engine) as tx:
                    rows, age_s = await tx.raw.fetchrow(_STATE)
                OUTBOX_ROWS.labels(self._service).set(rows)
                OUTBOX_AGE_SECONDS.labels(self._service).set(age_s)
            await asyncio.sleep(5)


def _is_known(error: Exception) -> bool:
    """Whether a part is away, and not something wrong with the records themselves."""
    return isinstance(error, UnavailableError) or verdict(error) is not Verdict.REFUSE
