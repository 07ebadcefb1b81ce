"""One supervised process, as the parts of the stack describe themselves to the supervisor."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Started in this order, stopped in the opposite one: the services let go of their connections before the servers end.
SERVER_PRIORITY = 100
SERVICE_PRIORITY = 200


@dataclass(frozen=True)
class Program:
    """How to start and stop a process. `autostart` is False for what has to wait for migrations."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    priority: int = SERVICE_PRIORITY
    stop_signal: str = "TERM"
    stop_timeout_s: int = 20
    autostart: bool = False
