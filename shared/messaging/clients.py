"""What aiokafka's clients do not do by themselves: stop within a limit, and say that they are dead."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from shared.observability.logging import get_logger

_log = get_logger(__name__)


async def stop_within(client: Any, timeout_s: float) -> None:
    """Stop a consumer or a producer. Both hang when the broker hangs, and let the cancellation of their own tasks
    escape: only a cancellation that was meant for us goes on from here."""
    try:
        await asyncio.wait_for(client.stop(), timeout=timeout_s)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("client_not_stopped_cleanly", error=f"{type(error).__name__}: {error}"[:200])


def client_died(consumer: AIOKafkaConsumer) -> bool:
    """aiokafka's tasks die in silence: the fetcher when uvloop closes a connection under its hands (RuntimeError),
    the coordinator when the group forgets it. Nothing comes any more then, and nothing is said."""
    tasks = (
        getattr(consumer._coordinator, "_coordination_task", None),  # noqa: SLF001
        getattr(consumer._fetcher, "_fetch_task", None),  # noqa: SLF001
    )
    return any(task is not None and task.done() for task in tasks)
