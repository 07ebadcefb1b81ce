"""No task of a process ends in silence."""

import asyncio

import pytest

from shared.process import run_together


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
