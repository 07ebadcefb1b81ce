"""Without a word a process is api and worker together, and neither may end in silence."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from shared.roles import Service
from shared.settings import ServiceSettings


async def test_a_worker_that_ends_in_silence_ends_the_process() -> None:
    async def api(_: ServiceSettings, stop: asyncio.Event) -> None:
        await stop.wait()

    async def worker(_: ServiceSettings, __: asyncio.Event) -> None:
        raise asyncio.CancelledError

    def nothing() -> Any:
        raise AssertionError("not asked for")

    service = Service("points", nothing, Path(), api, worker, nothing)
    settings = ServiceSettings(database_url="postgresql://x", kafka_bootstrap="x", internal_public_key="x")
    with pytest.raises(ExceptionGroup):
        async with asyncio.timeout(5):
            await service._run("all", settings, asyncio.Event())
