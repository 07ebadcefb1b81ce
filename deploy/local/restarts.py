"""A plug-in of supervisord: what ends is started again soon, however often it has ended before.

supervisord waits a second longer after each start that failed, and in the end gives up. A server that is killed while
it starts, or finds what its predecessor left (PostgreSQL while an old session still holds its memory), would be away
longer and longer, and with it the whole platform.
"""

from typing import Any, Final

from supervisor import events
from supervisor.rpcinterface import make_main_rpcinterface

PAUSE_MAX_S: Final = 2


def restarting_interface(supervisord: Any, **config: Any) -> Any:
    """supervisord's own interface; made before the first process is started, so this is where we begin to listen."""
    events.subscribe(events.ProcessStateBackoffEvent, _soon)
    return make_main_rpcinterface(supervisord, **config)


def _soon(event: Any) -> None:
    """A start has failed: supervisord has just decided to wait a second for each that failed in a row."""
    process = event.process
    excess_s = max(0, process.backoff - PAUSE_MAX_S)
    process.backoff -= excess_s
    process.delay -= excess_s
