"""The platform's database, asked from a test that has no event loop of its own."""

import time
from collections.abc import Callable
from typing import Any

import asyncpg

from deploy.chaos.judge import in_a_thread
from tests.support.platform import Platform


def rows(platform: Platform, query: str, *values: Any) -> list[Any]:
    """By the administrator."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(platform.database_url, timeout=30)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    return in_a_thread(ask())


def wait_for(check: Callable[[], Any], within_s: float = 60.0) -> Any:
    """The first true answer; an AssertionError with the last one when time is over."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {found!r}"
        time.sleep(0.1)
    return found
