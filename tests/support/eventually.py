"""Waiting for what comes about by itself: asked again and again until its limit, never slept for."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")
_PAUSE_S = 0.05


@overload
async def eventually(check: Callable[[], Awaitable[T]], within_s: float = ...) -> T: ...
@overload
async def eventually(check: Callable[[], T], within_s: float = ...) -> T: ...
async def eventually(check: Callable[[], Any], within_s: float = 10.0) -> Any:
    """The first result of `check` that comes without an exception; its last exception when time is over."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            result = check()
            return await result if inspect.isawaitable(result) else result
        except Exception:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE_S)


async def until(check: Callable[[], Any], within_s: float = 20.0) -> Any:
    """The first result of `check` that is true; an AssertionError with its last result when time is over."""

    async def asserted() -> Any:
        result = check()
        result = await result if inspect.isawaitable(result) else result
        assert result, f"not within {within_s} s: {result!r}"
        return result

    return await eventually(asserted, within_s)
