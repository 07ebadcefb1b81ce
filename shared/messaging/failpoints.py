"""Places where a fault test can make this process die: `TREUE_FAILPOINT=name` or `name:3` (at the third time).

Without the variable a failpoint is one comparison with None.
"""

import os
import signal

_wanted, _, _count = os.environ.get("TREUE_FAILPOINT", "").partition(":")
_left = int(_count or 1)
_armed: str | None = _wanted or None


def reach(name: str) -> None:
    """Die here, as by kill -9, if a test asked for it."""
    global _left  # noqa: PLW0603 - one process, one failpoint
    if _armed is not None and name == _armed:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
