"""No task of a process ends in silence."""

import asyncio

import pytest

from shared.process import end, run_together


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def test_a_cancellation_from_within_ends_the_process() -> None:
    async def stray() -> None:
        raise asyncio.CancelledError

    stop = asyncio.Event()
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.timeout(5):
            await run_together(stop, _until(stop), stray())
    assert "cancelled from within" in str(caught.value.exceptions[0])


async def test_a_cancellation_from_outside_passes() -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(run_together(stop, _until(stop)))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_task_that_hangs_after_the_stop_is_ended() -> None:
    ended: list[str] = []

    async def hangs() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("hangs")

    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    async with asyncio.timeout(5):
        await run_together(stop, _until(stop), hangs(), ended_within_s=0.1)
    assert ended == ["hangs"]


async def test_a_task_that_loses_a_cancellation_is_ended_all_the_same() -> None:
    lost = 0

    async def forgets() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    task = asyncio.ensure_future(forgets())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(task)
    assert task.cancelled()
    assert lost == 1
