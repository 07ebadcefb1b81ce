"""How a process of ours lives: one event loop, one way to stop, and no half-dead states.

`main` gets an event that is set at the first SIGTERM or SIGINT and returns when it has ended in order. When it raises,
the process exits non-zero at once, for its supervisor to start it anew.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import uvloop

from shared.observability.logging import get_logger

_log = get_logger(__name__)

_ENDED_WITHIN_S = 8.0
_CANCELLED_AGAIN_S = 0.5

Main = Callable[[asyncio.Event], Awaitable[None]]


def run_process(main: Main) -> None:
    """Run `main` under uvloop until it returns, then exit: 0 if it returned, 1 if it raised."""
    try:
        uvloop.run(_until_stopped(main))
    except Exception:  # noqa: BLE001 - whatever it was, the supervisor decides what follows
        _log.exception("process_failed")
        sys.exit(1)


async def run_together(
    stop: asyncio.Event, *tasks: Coroutine[Any, Any, None], ended_within_s: float = _ENDED_WITHIN_S
) -> None:
    """Run tasks side by side until `stop`. When one raises, or ends before its time, all end. After `stop` each has
    `ended_within_s` to end in order; then it is cancelled, since a server that hangs would keep it for long.
    """
    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(_to_the_end(task, stop), name=getattr(task, "__qualname__", repr(task))) for task in tasks
        ]
        group.create_task(_end(running, stop, ended_within_s))


async def _end(running: Sequence[asyncio.Task[None]], stop: asyncio.Event, within_s: float) -> None:
    await stop.wait()
    _, late = await asyncio.wait(running, timeout=within_s)
    for task in late:
        _log.warning("task_did_not_end", task=task.get_name(), within_s=within_s)
    await asyncio.gather(*(end(task) for task in late))


async def end(task: "asyncio.Future[None]") -> None:
    """Cancel a task until it has ended. One cancellation may be lost: Python 3.11's wait_for forgets it when the answer
    comes at the same time, and a driver may raise something else for it."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_CANCELLED_AGAIN_S)


async def _to_the_end(task: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    try:
        await task
    except asyncio.CancelledError as cancelled:
        ours = asyncio.current_task()
        if ours is not None and ours.cancelling():
            raise
        # A task group passes over a cancelled child: a library's stray cancellation must not end a task in silence.
        raise RuntimeError(f"{task} was cancelled from within") from cancelled
    if not stop.is_set():
        raise RuntimeError(f"{task} ended, though nobody asked it to")


async def _until_stopped(main: Main) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await main(stop)


def collect_garbage_less_often() -> None:
    """For a process that is set up: a batch of two thousand events makes a hundred thousand objects, none of them in a
    cycle, and Python looks for cycles after every seven hundred. Measured in-process: posting 138 -> 88 us an event.

    Six lanes have six batches in hand: with a look after every 100,000 objects a worker took 68 us an event, 62 after
    250,000, and no less without any.
    """
    gc.freeze()
    gc.set_threshold(250_000, 20, 50)
