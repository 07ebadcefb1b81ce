"""What aiokafka's clients do not do by themselves: stop within a limit, keep their own cancellations to
themselves, and say that they are dead."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared.observability.logging import get_logger

_log = get_logger(__name__)
T = TypeVar("T")


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
    """Stop a consumer or a producer: both hang when the broker hangs."""
    try:
        await answered_within(client.stop(), timeout_s)
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("client_not_stopped_cleanly", error=f"{type(error).__name__}: {error}"[:200])


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
