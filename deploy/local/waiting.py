"""Waiting for something that starts: until it answers, never longer than its limit."""

import socket
import time
from collections.abc import Callable

from deploy.problems import OperatorError

_PAUSE_S = 0.1


def wait_until(what: str, answers: Callable[[], str | None], timeout_s: float, next_step: Callable[[], str]) -> None:
    """`answers` returns None when all is well, else what is wrong still."""
    deadline = time.monotonic() + timeout_s
    while (wrong := answers()) is not None:
        if time.monotonic() > deadline:
            raise OperatorError(f"{what} did not answer within {timeout_s:.0f} s: {wrong}.", next_step())
        time.sleep(_PAUSE_S)


def reach(addresses: str, timeout_s: float = 2.0) -> None:
    """Raises OSError when no server listens at the first of these addresses (host:port, separated by commas)."""
    host, _, port = addresses.partition(",")[0].rpartition(":")
    socket.create_connection((host, int(port)), timeout_s).close()
