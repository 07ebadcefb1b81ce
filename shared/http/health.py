"""/livez says that the process turns; /readyz that it can do its work. Never mixed: restarting a process does not bring
its database back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import TreueError, UnavailableError
from shared.observability.logging import get_logger

_log = get_logger(__name__)
_REMEMBERED_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """Something that must be there: `probe` returns when it is, and raises (its message says why) when it is not.

    `only_to_begin`: once it was there, the process goes on with a good part of its work when it is away. That is said,
    but the process stays ready: who is not ready gets nothing to do at all."""

    name: str
    probe: Callable[[], Awaitable[object]]
    timeout_s: float = 2.0
    only_to_begin: bool = False


class Readiness:
    """Whether the process can do its work now. Answers are kept for half a second, so that nobody can load what is
    checked by asking."""

    def __init__(self, checks: Sequence[ReadinessCheck]) -> None:
        self._checks = checks
        self._closing = False
        self._asked_at = -_REMEMBERED_S
        self._missing: dict[str, str] = {}
        self._begun: set[str] = set()
        self._lock = asyncio.Lock()

    def close(self) -> None:
        """From now on: not ready, so that no new work is sent here. There is no way back."""
        self._closing = True

    async def require(self) -> dict[str, str]:
        """What is away though the process is ready, by the name of the check, and why. Raises UnavailableError that
        names what is not ready."""
        away = {"process": "shutting down"} if self._closing else await self._ask()
        missing = {name: why for name, why in away.items() if name not in self._begun}
        if missing:
            raise UnavailableError("Not ready: " + ", ".join(missing) + ".", code="not_ready", not_ready=missing)
        return away

    @property
    def names(self) -> list[str]:
        """What is looked at."""
        return [check.name for check in self._checks]

    async def _ask(self) -> dict[str, str]:
        async with self._lock:
            if time.monotonic() - self._asked_at >= _REMEMBERED_S:
                reasons = await asyncio.gather(*(_reason(check) for check in self._checks))
                named = list(zip(self._checks, reasons, strict=True))
                self._missing = {check.name: reason for check, reason in named if reason}
                self._begun |= {check.name for check, reason in named if check.only_to_begin and not reason}
                self._asked_at = time.monotonic()
            return self._missing


async def _reason(check: ReadinessCheck) -> str:
    """Why the check fails; empty when it does not."""
    try:
        async with asyncio.timeout(check.timeout_s):
            await check.probe()
    except TimeoutError:
        return f"no answer within {check.timeout_s:g} s"
    except Exception as error:  # noqa: BLE001 - whatever fails is the answer
        _log.warning("readiness_check_failed", check=check.name, error=repr(error)[:300])
        # A driver's message may tell addresses and names; ours are made to be read.
        return error.detail if isinstance(error, TreueError) else type(error).__name__
    return ""
