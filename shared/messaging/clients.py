"""What aiokafka's clients do not do by themselves: stop within a limit, keep their own cancellations to
themselves, say that they are dead, and not wait at the broker while there is work."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer

from shared.observability.logging import get_logger

_log = get_logger(__name__)
T = TypeVar("T")
_FETCH_BYTES = 1 << 21  # two thousand purchases of three lines: a full batch


async def answered_within(asked: Awaitable[T], timeout_s: float) -> T:
    """What a client answers, within a limit. The clients let the cancellation of their own tasks escape: that is no
    answer (TimeoutError too). Only a cancellation that was meant for us goes on from here."""
    try:
        return await asyncio.wait_for(asked, timeout=timeout_s)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise TimeoutError("a task of the client itself was cancelled") from None


async def stop_within(client: Any, timeout_s: float) -> None:
    """Stop a consumer or a producer: both hang when the broker hangs, and raise whatever a task of theirs died of."""
    try:
        await answered_within(client.stop(), timeout_s)
    except Exception as error:  # noqa: BLE001 - it is gone all the same
        _log.warning("client_not_stopped_cleanly", error=f"{type(error).__name__}: {error}"[:200])


def group_member(bootstrap: str, group: str, session_timeout_ms: int) -> AIOKafkaConsumer:
    """A consumer for a group, not started. Positions are ours, so it begins and commits nothing by itself."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, client_id=group, enable_auto_commit=False,
        auto_offset_reset="none", isolation_level="read_committed", session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=session_timeout_ms // 5, rebalance_timeout_ms=30_000,
        max_poll_interval_ms=24 * 3_600_000, max_partition_fetch_bytes=_FETCH_BYTES, request_timeout_ms=15_000,
        retry_backoff_ms=100, metadata_max_age_ms=10_000,
    )  # fmt: skip


def client_died(consumer: AIOKafkaConsumer) -> bool:
    """aiokafka's tasks die in silence: the fetcher and the client's reader of metadata when uvloop closes a connection
    under their hands (RuntimeError), the coordinator when the group forgets it. Nothing comes any more then, or nothing
    is heard of the group, and nothing is said."""
    tasks = (
        getattr(consumer._coordinator, "_coordination_task", None),  # noqa: SLF001
        getattr(consumer._fetcher, "_fetch_task", None),  # noqa: SLF001
        getattr(consumer._client, "_sync_task", None),  # noqa: SLF001
    )
    return any(task is not None and task.done() for task in tasks)


def let_broker_hold(consumer: AIOKafkaConsumer, wait_ms: int) -> None:
    """How long the broker may hold the next fetches that find nothing.

    aiokafka has one fetch under way at a broker. One of partitions on which nothing comes keeps the others waiting as
    long, whatever lies ready for them: with 500 ms at all times a service that caught up had nothing to do for up to a
    tenth of the time; with 50 ms at all times a service and Kafka take 6 % of a core for waiting.
    """
    consumer._fetcher._fetch_max_wait_ms = wait_ms  # noqa: SLF001 - it is asked for with every fetch
