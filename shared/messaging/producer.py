"""The way into Kafka: idempotent, acks=all, with a deadline of our own, and rebuilt when its client dies or is silent.

aiokafka's idempotent producer never gives a batch up, and a caller's timeout does not withdraw it. So a deadline that
passes means "outcome unknown": the record may still arrive, and the same event id makes that harmless.
"""

import asyncio
from collections.abc import Sequence
from time import monotonic

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from shared.errors import UnavailableError
from shared.events.envelope import Record
from shared.messaging.batching import Batching
from shared.messaging.clients import stop_within
from shared.observability.logging import get_logger
from shared.observability.metrics import PRODUCER_FAILURES, PRODUCER_REBUILDS, PRODUCER_SENDS

_log = get_logger(__name__)
_STOP_TIMEOUT_S = 5.0
_RETRY_AFTER_S = 2.0
# A client that hears nothing of Kafka for so long while records are on their way is replaced: whatever it waits for, a
# new one either connects or is told why not.
_SILENCE_MAX_S = 10.0
_RECONNECT_PAUSE_MAX_S = 1.0


class Producer:
    """A supervised producer. `in_flight_max` bounds the records that Kafka has not answered for, waited for or not."""

    def __init__(self, bootstrap: str, *, client_id: str, linger_ms: int = 2, in_flight_max: int = 20_000) -> None:
        self._bootstrap, self._client_id, self._linger_ms = bootstrap, client_id, linger_ms
        self._in_flight_max = in_flight_max
        self._in_flight = 0
        self._heard_at = 0.0
        self._producer: AIOKafkaProducer | None = None
        self._batching: Batching | None = None
        self._building: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def ready(self) -> bool:
        """Whether there is a living connection machine; says nothing of the broker's health."""
        return self._producer is not None and not self._dead(self._producer)

    async def start(self) -> None:
        """Begin to connect; returns at once, `ready` tells when it is done."""
        self._rebuild()

    async def stop(self) -> None:
        """Send what is buffered, for a few seconds at the most, and stop."""
        self._stopped = True
        if self._building is not None:
            self._building.cancel()
            await asyncio.gather(self._building, return_exceptions=True)
        await self._dispose(self._producer)
        self._producer = None

    async def send(self, records: Sequence[Record], *, deadline_s: float) -> None:
        """Return when Kafka has acknowledged every record.

        Raises UnavailableError when that did not happen before the deadline: the outcome is unknown then, and sending
        the same events again is safe.
        """
        batching, count = self._usable(len(records)), len(records)
        if not self._in_flight:
            self._heard_at = monotonic()  # what is sent now is what silence is counted from
        self._in_flight += count
        acknowledged = batching.send(records, lambda error: self._settle(error, batching, count))
        deadline = acknowledged.get_loop().call_later(deadline_s, _give_up, acknowledged)
        try:
            await acknowledged
        except TimeoutError as error:
            PRODUCER_FAILURES.labels(self._client_id, "deadline").inc()
            raise self._away(f"Kafka did not acknowledge within {deadline_s} s") from error
        except Exception as error:
            raise self._away(f"Kafka refused: {type(error).__name__}") from error
        finally:
            deadline.cancel()

    def _usable(self, count: int) -> Batching:
        producer, batching = self._producer, self._batching
        if producer is None or batching is None or self._dead(producer) or self._silent():
            self._rebuild()
            raise self._away("no connection to Kafka yet")
        if self._in_flight + count > self._in_flight_max:
            PRODUCER_FAILURES.labels(self._client_id, "backlog").inc()
            raise self._away(f"{self._in_flight} records wait for Kafka already")
        return batching

    def _settle(self, error: Exception | None, batching: Batching, count: int) -> None:
        self._in_flight -= count
        self._heard_at = monotonic()
        if error is None:
            return
        PRODUCER_FAILURES.labels(self._client_id, type(error).__name__).inc()
        # A fatal error is handed to every later send as well: only a new producer helps.
        if batching is self._batching and (not self.ready or not getattr(error, "retriable", False)):
            self._rebuild()

    def _arrived(self, topic: str, count: int) -> None:
        PRODUCER_SENDS.labels(self._client_id, topic).inc(count)

    def _silent(self) -> bool:
        return self._in_flight > 0 and monotonic() - self._heard_at > _SILENCE_MAX_S

    def _rebuild(self) -> None:
        if not self._stopped and (self._building is None or self._building.done()):
            self._building = asyncio.ensure_future(self._build())

    async def _build(self) -> None:
        old, self._producer = self._producer, None
        await self._dispose(old)
        delay_s = 0.1
        while True:
            fresh = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap, client_id=self._client_id, enable_idempotence=True, acks="all",
                max_batch_size=256 * 1024, request_timeout_ms=5_000,
                retry_backoff_ms=100, metadata_max_age_ms=60_000,
            )  # fmt: skip
            try:
                await asyncio.wait_for(fresh.start(), timeout=10)
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("producer_not_connected", error=str(error), retry_in_s=round(delay_s, 1))
                await self._dispose(fresh)
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, _RECONNECT_PAUSE_MAX_S)
                continue
            except BaseException:
                await self._dispose(fresh)
                raise
            self._producer, self._batching = fresh, Batching(fresh, self._linger_ms / 1000, self._arrived)
            PRODUCER_REBUILDS.labels(self._client_id).inc()
            return

    @staticmethod
    async def _dispose(producer: AIOKafkaProducer | None) -> None:
        """Stop it. What it could not send in time is given up: nobody shall wait for that for ever."""
        if producer is None:
            return
        await stop_within(producer, _STOP_TIMEOUT_S)
        for task in _tasks(producer):
            task.cancel()
        await asyncio.sleep(0)
        for task in _tasks(producer):
            task.cancel()  # the sender takes one cancellation as a request to wait for what it has asked Kafka
        for connection in [*producer.client._conns.values()]:  # noqa: SLF001
            connection.close()
        producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001

    @staticmethod
    def _dead(producer: AIOKafkaProducer) -> bool:
        return any(task.done() for task in _tasks(producer))

    @staticmethod
    def _away(detail: str) -> UnavailableError:
        return UnavailableError(
            f"{detail}; the outcome is unknown, repeating the same request is safe",
            code="event_log_unavailable", retry_after_s=_RETRY_AFTER_S, outcome="unknown",
        )  # fmt: skip


def _tasks(producer: AIOKafkaProducer) -> list["asyncio.Task[None]"]:
    """Its sender and its reader of metadata. aiokafka tells nowhere that one of them died; without the second the first
    waits for ever."""
    found = (getattr(producer._sender, "sender_task", None), getattr(producer.client, "_sync_task", None))  # noqa: SLF001
    return [task for task in found if task is not None]


def _give_up(acknowledged: "asyncio.Future[None]") -> None:
    if not acknowledged.done():
        acknowledged.set_exception(TimeoutError())
