"""What one check found."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "warn", "fail", "unknown"]


@dataclass(frozen=True)
class Finding:
    """`warn`: somebody should look; `fail`: it does not work; `unknown`: it could not be asked, `found` says why."""

    name: str
    state: State
    found: str
    next_step: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


Check = Callable[[], Awaitable[Finding]]
