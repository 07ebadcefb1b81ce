"""Requests that wait for something to happen: how long they may, and how many of them at once.

Waiting is cheap for the caller and not for us. So that nobody's waiting costs anybody else an answer, waits are counted
by caller, by tenant and in all, and one too many is refused at once instead of being queued in front of others.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from shared.auth.principal import Principal
from shared.errors import RateLimitedError

Key = TypeVar("Key")
WAIT_MAX_MS: Final = 10_000
AFTER_EVENT_WAIT_MS: Final = 2_000
"""How long `after_event` waits where `wait_ms` does not say."""


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """How many requests may wait in one process at the same time. A shop's own server waits for many customers, an app
    for one."""

    per_customer: int = 4
    per_key: int = 50
    per_tenant: int = 100
    in_all: int = 300


class Waits:
    """Counts who waits."""

    def __init__(self, limits: WaitLimits) -> None:
        self._limits = limits
        self._callers: Counter[tuple[str, str]] = Counter()
        self._tenants: Counter[str] = Counter()
        self._in_all = 0

    @contextmanager
    def one(self, principal: Principal) -> Iterator[None]:
        """The caller waits for as long as this is entered. Raises RateLimitedError for a wait beyond a limit."""
        tenant, caller = principal.tenant, (principal.tenant, principal.customer or f"/{principal.subject}")
        self._check(principal, tenant, caller)
        self._callers[caller] += 1
        self._tenants[tenant] += 1
        self._in_all += 1
        try:
            yield
        finally:
            self._in_all -= 1
            _leave(self._callers, caller)
            _leave(self._tenants, tenant)

    def _check(self, principal: Principal, tenant: str, caller: tuple[str, str]) -> None:
        limits = self._limits
        of_caller = limits.per_customer if principal.customer is not None else limits.per_key
        if self._callers[caller] >= of_caller:
            raise _too_many(f"{of_caller} requests of this credential wait already.")
        if self._tenants[tenant] >= limits.per_tenant:
            raise _too_many(f"{limits.per_tenant} requests of this tenant wait already.")
        if self._in_all >= limits.in_all:
            raise _too_many("Too many requests wait already.")


def _leave(counts: Counter[Key], key: Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


def _too_many(detail: str) -> RateLimitedError:
    return RateLimitedError(
        f"{detail} Ask without waiting (wait_ms=0), or again later.", code="too_many_waits", retry_after_s=1.0
    )
